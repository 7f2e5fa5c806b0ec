/* SPDX-License-Identifier: MIT */
/* What differs between platforms and builds, as constants: the only conditional code in the core. */
#ifndef WEFT_CORE_SYSTEM_PLATFORM_H
#define WEFT_CORE_SYSTEM_PLATFORM_H

/* libweft is a shared library of its own. */
#ifdef WEFT_BUILD_SHARED
#define WEFT_IS_SHARED 1
#else
#define WEFT_IS_SHARED 0
#endif

#endif
