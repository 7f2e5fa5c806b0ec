/* SPDX-License-Identifier: MIT */
/* The descriptor: all that Weft knows of a plugin before it calls it. Linked in and loaded alike. */
#ifndef WEFT_PLUGIN_PLUGIN_H
#define WEFT_PLUGIN_PLUGIN_H

#include "weft/base.h"

WEFT_BEGIN

#define WEFT_PLUGIN_MAGIC 0x57656674u /* "Weft" */

/* Goes up whenever anything under include/weft/plugin/ changes its meaning or layout. */
#define WEFT_PLUGIN_ABI 6u

enum weft_plugin_kind {
	WEFT_PLUGIN_EVENT = 1,
	WEFT_PLUGIN_TLS = 2,
	WEFT_PLUGIN_ROLE = 3,
};

struct weft_event_ops;
struct weft_tls_ops;
struct weft_role;

/*
 * magic, abi and size come first and never move, so that a plugin of any age can be refused by name.
 * Just the pointer that fits kind is set.
 */
struct weft_plugin {
	uint32_t magic;
	uint32_t abi;
	size_t size; /* sizeof(struct weft_plugin) */
	enum weft_plugin_kind kind;
	const char *name;    /* [a-z0-9]+; module files are called KIND-NAME.so */
	const char *version; /* the plugin's own version and the library's it was built with */
	const struct weft_event_ops *event;
	const struct weft_tls_ops *tls;
	const struct weft_role *role;
};

/*
 * Defines the descriptor: WEFT_PLUGIN_DEFINE(event_poll) = { WEFT_PLUGIN_HEAD, ... };
 * A module exports it under one name that the loader looks up; a plugin that is linked in has a
 * name of its own, KIND_NAME, which the table made by CMake refers to.
 */
#ifdef WEFT_PLUGIN_MODULE
#define WEFT_PLUGIN_DEFINE(kind_name)                               \
	extern WEFT_API const struct weft_plugin weft_plugin_entry; \
	WEFT_API const struct weft_plugin weft_plugin_entry
#else
#define WEFT_PLUGIN_DEFINE(kind_name)                            \
	extern const struct weft_plugin weft_plugin_##kind_name; \
	const struct weft_plugin weft_plugin_##kind_name
#endif

#define WEFT_PLUGIN_HEAD \
	.magic = WEFT_PLUGIN_MAGIC, .abi = WEFT_PLUGIN_ABI, .size = sizeof(struct weft_plugin)

WEFT_END

#endif
