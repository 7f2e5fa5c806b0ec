# SPDX-License-Identifier: MIT
# Cross-compiling for 32-bit ARM with hardware floating point, Debian's armhf; programs run under qemu-user.
# scripts/setup armhf installs the compiler and makes the sysroot.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv7)
set(CMAKE_LIBRARY_ARCHITECTURE arm-linux-gnueabihf)
set(CMAKE_C_COMPILER arm-linux-gnueabihf-gcc)

set(WEFT_SYSROOT ${CMAKE_CURRENT_LIST_DIR}/../build-sysroot-armhf CACHE PATH "By scripts/sysroot-armhf")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES WEFT_SYSROOT)
get_filename_component(CMAKE_SYSROOT ${WEFT_SYSROOT} ABSOLUTE)
if(NOT EXISTS ${CMAKE_SYSROOT}/.complete)
	message(FATAL_ERROR "no sysroot in ${CMAKE_SYSROOT}: run scripts/setup armhf, or set WEFT_SYSROOT")
endif()
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${CMAKE_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR}
	${CMAKE_SYSROOT}/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/pkgconfig:${CMAKE_SYSROOT}/usr/share/pkgconfig)

# Not -D_TIME_BITS=64: c-ares, libevent and GnuTLS of Debian 12 have a time_t of 32 bits in what they are called with.
find_program(WEFT_QEMU NAMES qemu-arm qemu-arm-static)
if(WEFT_QEMU)
	set(CMAKE_CROSSCOMPILING_EMULATOR ${WEFT_QEMU} -L ${CMAKE_SYSROOT})
endif()
