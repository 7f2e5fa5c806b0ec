/* SPDX-License-Identifier: MIT */
/*
 * A whole HTTP/1.1 server over memory, fed with anything in pieces. What its handler is told, and which
 * statuses it answers, must be what the slow reader of reference.c says of the same bytes.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/peer.h"
#include "tests/fuzz/reference.h"
#include "weft/http.h"
#include "weft/vhost.h"

enum { REQUESTS_MAX = 64 };

/* What the handler saw of each request. */
static struct seen {
	char *method, *target, *authority;
	unsigned version;
	uint8_t *body;
	size_t len, field_count;
	bool ended;
} seen[REQUESTS_MAX];
static size_t seen_count;

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	struct seen *r = user;

	(void)s;
	must(!r->ended && len);
	r->body = realloc(r->body, r->len + len);
	must(r->body);
	memcpy(r->body + r->len, bytes, len);
	r->len += len;
	return len;
}

static void on_end(struct weft_stream *s, void *user)
{
	struct seen *r = user;
	bool tunnel = !strcmp(r->method, "CONNECT");

	must(!r->ended);
	r->ended = true;
	if (!tunnel)
		must(!weft_http_reply(s, 200, NULL, "ok", 2));
}

static const struct weft_stream_ops ops = { .on_data = on_data, .on_end = on_end };

static enum weft_status on_request(struct weft_stream *s, void *user)
{
	const struct weft_head *head = weft_stream_request(s);
	struct seen *r = &seen[seen_count];

	(void)user;
	must(head->method && head->target);
	if (seen_count == REQUESTS_MAX)
		return WEFT_ERR_LIMIT;
	seen_count++;
	*r = (struct seen){ .method = strdup(head->method),
		.target = strdup(head->target),
		.authority = strdup(head->authority ? head->authority : ""),
		.version = head->version,
		.field_count = head->field_count };
	must(r->method && r->target && r->authority);
	weft_stream_set_ops(s, &ops, r);
	if (!strcmp(r->method, "CONNECT"))
		return weft_http_error(s, 403);
	return WEFT_OK;
}

static struct weft_vhost *vhost(void)
{
	static const struct weft_route routes[] = { { .prefix = "", .on_request = on_request },
		{ .on_request = NULL } };
	const struct weft_vhost_options o = {
		.name = "fuzz", .routes = routes, .header_count = REF_FIELDS_MAX
	};
	static struct weft_vhost *vh;
	struct weft_error err;

	if (!vh)
		must(!weft_vhost_create(fuzz_context(), &o, &vh, &err));
	return vh;
}

static bool is(const char *text, const void *ptr, size_t len)
{
	return strlen(text) == len && (!len || !memcmp(text, ptr, len));
}

/* The final statuses in what came, one after the other; 0 behind the last. */
static unsigned next_status(const char **at)
{
	unsigned status = 100;

	while (status / 100 == 1) {
		*at = strstr(*at, "HTTP/1.1 ");
		if (!*at)
			return 0;
		*at += strlen("HTTP/1.1 ");
		status = (unsigned)atoi(*at);
	}
	return status;
}

/* The server may see that something is wrong before its end, or that the end comes too early. */
static void perhaps_a_refusal(const char *at)
{
	unsigned status = next_status(&at);

	must(!status || status >= 400);
	must(!status || !next_status(&at));
}

static void same_request(
	const struct seen *s, const struct ref_message *r, const uint8_t *in, const uint8_t *body)
{
	must(is(s->method, in + r->method.at, r->method.len));
	must(is(s->target, r->path, r->path_len));
	must(is(s->authority, r->authority, r->authority_len));
	must(s->version == r->version && s->field_count == r->count);
	must(s->len <= r->body_len && (!s->len || !memcmp(s->body, body, s->len)));
	must(r->body != REF_ACCEPTED || s->len == r->body_len);
	must(s->ended == (r->body == REF_ACCEPTED));
}

static void judge(uint8_t *in, size_t len, uint8_t *body, const char *answers)
{
	struct ref_message r;
	size_t at = 0, n = 0;

	for (;;) {
		ref_request(in + at, len - at, false, body, &r);
		if (r.head == REF_REFUSED)
			must(next_status(&answers) == r.refusal);
		if (r.head == REF_INCOMPLETE)
			perhaps_a_refusal(answers);
		if (r.head != REF_ACCEPTED)
			break;
		must(n < seen_count);
		same_request(&seen[n++], &r, in + at, body);
		if (r.body == REF_REFUSED)
			must(next_status(&answers) == (r.refusal ? r.refusal : 400));
		if (r.body == REF_INCOMPLETE)
			perhaps_a_refusal(answers);
		if (r.body != REF_ACCEPTED)
			break;
		must(next_status(&answers) == (is(seen[n - 1].method, "CONNECT", 7) ? 403u : 200u));
		at += r.used;
		if (n == REQUESTS_MAX)
			return;
		if (r.close || (r.version < 11 && !r.keep_alive)) {
			must(!next_status(&answers));
			break;
		}
	}
	must(n == seen_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct weft_transport *other;
	struct weft_error err;
	struct fuzz_peer p;
	uint8_t *in, *body;

	if (len < 2)
		return 0;
	seen_count = 0;
	fuzz_peer_make(&p, &other);
	must(!weft_transport_serve(vhost(), "http", other, &err));
	fuzz_peer_feed(&p, data + 1, len - 1, data[0] == '!' ? len : 1u + data[0] % 64);
	fuzz_peer_finish(&p);
	in = fuzz_bytes(data + 1, len - 1);
	body = fuzz_bytes(data + 1, len - 1);
	judge(in, len - 1, body, p.got);
	free(in);
	free(body);
	fuzz_peer_close(&p);
	for (size_t i = 0; i < seen_count; i++) {
		free(seen[i].method);
		free(seen[i].target);
		free(seen[i].authority);
		free(seen[i].body);
	}
	return 0;
}
