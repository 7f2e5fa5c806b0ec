/* SPDX-License-Identifier: MIT */
/* nghttp2's session: its callbacks, options, memory and SETTINGS. */
#include <stdio.h>

#include "roles/h2/h2.h"

/* ---- callbacks ---- */

static int on_error(nghttp2_session *session, int code, const char *text, size_t len, void *user)
{
	struct weft_h2 *h = user;

	(void)session;
	(void)code;
	snprintf(h->problem, sizeof(h->problem), "%.*s", (int)len, text);
	return 0;
}

static int on_invalid_frame(
	nghttp2_session *session, const nghttp2_frame *frame, int code, void *user)
{
	struct weft_h2 *h = user;

	(void)session;
	if (!h->problem[0])
		snprintf(h->problem, sizeof(h->problem), "a frame of type %u: %s", frame->hd.type,
			nghttp2_strerror(code));
	/* what makes us reset a stream that it asked for costs as much as its own resets */
	if (frame->hd.stream_id)
		(void)weft_h2_spend_reset(h);
	return 0;
}

/* What brings nothing by itself. */
static uint32_t cost_of(const nghttp2_frame_hd *hd)
{
	switch (hd->type) {
	case NGHTTP2_DATA: /* weft_h2_on_frame */
	case NGHTTP2_HEADERS:
		return 0;
	default:
		return 1;
	}
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *user)
{
	struct weft_h2 *h = user;
	uint32_t cost = cost_of(hd);

	(void)session;
	return cost && !weft_h2_spend(h, cost) ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

/* Of a type that nobody knows: RFC 9113 section 5.5. It was counted when it began. */
static int unpack(nghttp2_session *session, void **payload, const nghttp2_frame_hd *hd, void *user)
{
	(void)session;
	(void)payload;
	(void)hd;
	(void)user;
	return NGHTTP2_ERR_CANCEL;
}

static int set_callbacks(nghttp2_session_callbacks **out)
{
	nghttp2_session_callbacks *c;
	int code = nghttp2_session_callbacks_new(&c);

	if (code)
		return code;
	nghttp2_session_callbacks_set_on_begin_frame_callback(c, on_begin_frame);
	nghttp2_session_callbacks_set_on_begin_headers_callback(c, weft_h2_on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback2(c, weft_h2_on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(c, weft_h2_on_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, weft_h2_on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(c, weft_h2_on_stream_close);
	nghttp2_session_callbacks_set_on_frame_send_callback(c, weft_h2_on_sent);
	nghttp2_session_callbacks_set_data_source_read_length_callback(c, weft_h2_data_length);
	nghttp2_session_callbacks_set_send_data_callback(c, weft_h2_send_data);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(c, on_invalid_frame);
	nghttp2_session_callbacks_set_unpack_extension_callback(c, unpack);
	nghttp2_session_callbacks_set_error_callback2(c, on_error);
	*out = c;
	return 0;
}

static int set_options(nghttp2_option **out)
{
	nghttp2_option *o;
	int code = nghttp2_option_new(&o);

	if (code)
		return code;
	/* windows follow what applications take */
	nghttp2_option_set_no_auto_window_update(o, 1);
	nghttp2_option_set_no_closed_streams(o, 1);
	nghttp2_option_set_max_outbound_ack(o, 4 * WEFT_H2_QUEUE);
	/* ours is in abuse.c, and counts what makes us reset streams, too */
	nghttp2_option_set_stream_reset_rate_limit(o, UINT64_MAX, UINT64_MAX);
	nghttp2_option_set_builtin_recv_extension_type(o, NGHTTP2_PRIORITY_UPDATE);
	/* nghttp2 would tell nobody of the others: there could be any number of them */
	for (unsigned type = NGHTTP2_CONTINUATION + 1; type <= UINT8_MAX; type++) {
		if (type != NGHTTP2_PRIORITY_UPDATE)
			nghttp2_option_set_user_recv_extension_type(o, (uint8_t)type);
	}
	*out = o;
	return 0;
}

static int submit_settings(struct weft_h2 *h)
{
	const nghttp2_settings_entry both[] = {
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, h->limits->window_bytes & 0x7fffffff },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, h->limits->header_bytes },
		{ NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1 },
		{ h->client ? NGHTTP2_SETTINGS_ENABLE_PUSH
			    : NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
			h->client ? 0 : h->limits->streams },
		{ NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1 },
	};

	/* the last one is a server's */
	return nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, both,
		sizeof(both) / sizeof(both[0]) - (h->client ? 1 : 0));
}

static int make(struct weft_h2 *h)
{
	nghttp2_session_callbacks *callbacks = NULL;
	nghttp2_option *options = NULL;
	int code = set_callbacks(&callbacks);

	if (!code)
		code = set_options(&options);
	if (!code && h->client)
		code = nghttp2_session_client_new3(&h->session, callbacks, h, options, &h->mem);
	else if (!code)
		code = nghttp2_session_server_new3(&h->session, callbacks, h, options, &h->mem);
	nghttp2_option_del(options);
	nghttp2_session_callbacks_del(callbacks);
	if (code) {
		h->session = NULL; /* nghttp2 leaves a pointer to what it has freed */
		return code;
	}
	code = submit_settings(h);
	if (!code)
		code = nghttp2_session_set_local_window_size(
			h->session, NGHTTP2_FLAG_NONE, 0, WEFT_H2_UNREAD_MAX);
	return code;
}

enum weft_status weft_h2_session_make(struct weft_h2 *h, struct weft_error *err)
{
	int code;

	weft_h2_memory_begin(h);
	h->making = !h->client; /* a client's preface waits in there from the beginning */
	code = make(h);
	h->making = false;
	return code ? weft_h2_failed(h, code, err) : WEFT_OK;
}

enum weft_status weft_h2_failed(struct weft_h2 *h, int code, struct weft_error *err)
{
	if (code == NGHTTP2_ERR_NOMEM || h->starved)
		return weft_error_set(err, WEFT_ERR_MEMORY, code, "no memory for HTTP/2");
	if (h->calm || code == NGHTTP2_ERR_FLOODED)
		return weft_error_set(err, WEFT_ERR_LIMIT, code,
			"HTTP/2: the peer asks for too much that brings nothing");
	return weft_error_set(err, WEFT_ERR_PROTOCOL, code, "HTTP/2: %s",
		h->problem[0] ? h->problem : nghttp2_strerror(code));
}
