/* SPDX-License-Identifier: MIT */
/* A role that is complete and does nothing: what is wrong with a bad module is then only the one thing. */
#ifndef WEFT_TESTS_SUPPORT_BADPLUGINS_DUMMY_H
#define WEFT_TESTS_SUPPORT_BADPLUGINS_DUMMY_H

#include "weft/plugin/plugin.h"
#include "weft/plugin/role.h"

static enum weft_status dummy_attach(
	const struct weft_role_attach *attach, void **state, struct weft_error *err)
{
	(void)attach;
	(void)state;
	return weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0, "a dummy");
}

static void dummy_detach(void *state, const struct weft_error *why)
{
	(void)state;
	(void)why;
}

static enum weft_status dummy_input(void *state, uint32_t port, const unsigned char *bytes,
	size_t len, bool fin, size_t *used, struct weft_error *err)
{
	(void)state;
	(void)port;
	(void)bytes;
	(void)fin;
	(void)err;
	*used = len;
	return WEFT_OK;
}

static enum weft_status dummy_output(void *state, struct weft_error *err)
{
	(void)state;
	(void)err;
	return WEFT_OK;
}

static void dummy_stream(void *state, struct weft_stream *stream)
{
	(void)state;
	(void)stream;
}

static void dummy_credit(void *state, struct weft_stream *stream, size_t n)
{
	(void)state;
	(void)stream;
	(void)n;
}

#define DUMMY_OPS                                                              \
	.attach = dummy_attach, .detach = dummy_detach, .input = dummy_input,  \
	.output = dummy_output, .ready = dummy_stream, .credit = dummy_credit, \
	.reset = dummy_stream

static const struct weft_role_ops dummy_ops = { .size = sizeof(dummy_ops), DUMMY_OPS };

static const struct weft_role dummy_role = {
	.size = sizeof(dummy_role),
	.caps = WEFT_ROLE_SERVER,
	.ops = &dummy_ops,
};

#define DUMMY_BODY .kind = WEFT_PLUGIN_ROLE, .name = "dummy", .version = "7.0", .role = &dummy_role

#endif
