/* SPDX-License-Identifier: MIT */
/* Parts of loading one stream. Each complains at the present place. */
#ifndef WEFT_CORE_POLICY_LOAD_STREAM_H
#define WEFT_CORE_POLICY_LOAD_STREAM_H

#include "core/policy/load.h"
#include "weft/plugin/plugin.h"

/* The role called so, NULL: the one of streams that name none. NULL: there is none. */
const struct weft_plugin *weft_load_role(struct weft_loading *l, const char *protocol);
/* A key that neither the core nor the stream's role knows; another role may. */
void weft_load_not_of(struct weft_loading *l, const struct weft_plugin *role, const char *name,
	const struct weft_policy_key *own);
/* The values of the role's keys. false: of metadata, too, some are not what they should be, which was told. */
bool weft_load_values(struct weft_loading *l, json_t *object, const struct weft_plugin *role,
	struct weft_policy_stream *s);
bool weft_load_metadata(struct weft_loading *l, json_t *object, struct weft_policy_stream *s);
/* Endpoint, proxy, local address. */
void weft_load_check_place(struct weft_loading *l, const struct weft_policy_stream *s);
/* What makes no sense without TLS. */
void weft_load_check_tls(
	struct weft_loading *l, json_t *object, const struct weft_policy_stream *s);
/* Each ${name} is metadata, and metadata is used. */
void weft_load_check_templates(struct weft_loading *l, const struct weft_policy_stream *s);
void weft_load_ask_role(
	struct weft_loading *l, const struct weft_plugin *role, const struct weft_policy_stream *s);

#endif
