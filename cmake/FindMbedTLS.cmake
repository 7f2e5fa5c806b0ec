# SPDX-License-Identifier: MIT
# mbedTLS as Debian ships it: headers and libraries, without .pc and without a CMake config.
# Makes the target MbedTLS::mbedtls.
find_path(MBEDTLS_INCLUDE_DIR mbedtls/ssl.h)
find_library(MBEDTLS_LIBRARY mbedtls)
find_library(MBEDX509_LIBRARY mbedx509)
find_library(MBEDCRYPTO_LIBRARY mbedcrypto)
mark_as_advanced(MBEDTLS_INCLUDE_DIR MBEDTLS_LIBRARY MBEDX509_LIBRARY MBEDCRYPTO_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(MbedTLS
	REQUIRED_VARS MBEDTLS_LIBRARY MBEDX509_LIBRARY MBEDCRYPTO_LIBRARY MBEDTLS_INCLUDE_DIR
	REASON_FAILURE_MESSAGE "on Debian: apt install libmbedtls-dev")

if(MbedTLS_FOUND AND NOT TARGET MbedTLS::mbedtls)
	add_library(MbedTLS::mbedtls INTERFACE IMPORTED GLOBAL)
	target_include_directories(MbedTLS::mbedtls INTERFACE ${MBEDTLS_INCLUDE_DIR})
	target_link_libraries(MbedTLS::mbedtls
		INTERFACE ${MBEDTLS_LIBRARY} ${MBEDX509_LIBRARY} ${MBEDCRYPTO_LIBRARY})
endif()
