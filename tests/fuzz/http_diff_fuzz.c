/* SPDX-License-Identifier: MIT */
/*
 * Whole messages, by the library's resumable parsers in pieces and by the slow reader of reference.c in one:
 * verdict, status of a refusal, every span, framing and body must be the same. The first byte chooses: 'G',
 * 'H' or 'C' a response to GET, HEAD or CONNECT, else a request; the second how it is cut.
 */
#include "roles/http/chunked.h"
#include "roles/http/target.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/reference.h"

static const struct weft_http_bounds bounds = { 65536, REF_FIELDS_MAX };

/* What the library makes of it. */
struct outcome {
	enum weft_status head, body; /* AGAIN: incomplete */
	struct weft_http_refusal no;
	uint8_t *copy; /* of the head, in which the spans point */
	size_t head_len;
	struct weft_field fields[REF_FIELDS_MAX + 2];
	struct weft_http_message m;
	struct weft_http_facts facts;
	struct weft_http_target target;
	enum weft_http_body framing;
	uint64_t length;
	uint8_t *out;
	size_t out_len, used;
};

static size_t more(size_t have, size_t len, size_t step)
{
	return len - have < step ? len : have + step;
}

static enum weft_status scan(struct weft_http_scan *s, enum weft_http_kind kind, const uint8_t *in,
	size_t len, size_t step, struct weft_http_refusal *no)
{
	enum weft_status st = WEFT_AGAIN;

	for (size_t have = 0; st == WEFT_AGAIN && have < len;) {
		have = more(have, len, step);
		st = weft_http_scan(s, kind, in, have, &bounds, no);
	}
	return st;
}

static enum weft_status read_head(
	struct outcome *o, enum weft_http_kind kind, const char *method, struct weft_http_scan *s)
{
	enum weft_status st = weft_http_parse(s, kind, o->copy, &o->m, &o->no);

	if (st)
		return st;
	weft_http_facts(&o->m, &o->facts);
	if (kind == WEFT_HTTP_RESPONSE)
		return weft_http_response_body(
			&o->m, &o->facts, method, &o->framing, &o->length, &o->no);
	st = weft_http_request_body(&o->m, &o->facts, &o->framing, &o->length, &o->no);
	if (st == WEFT_OK)
		st = weft_http_request_target(&o->m, &o->facts, &o->target, &o->no);
	if (st == WEFT_OK && o->target.scheme && !strcmp(o->target.scheme, "https"))
		st = weft_http_refuse(&o->no, 421, "misdirected");
	if (st == WEFT_OK && o->facts.expect_other)
		st = weft_http_refuse(&o->no, 417, "expectation");
	return st;
}

static enum weft_status trailers(
	struct outcome *o, enum weft_http_kind kind, const uint8_t *in, size_t len, size_t step)
{
	struct weft_field fields[REF_FIELDS_MAX + 2];
	struct weft_http_message m = { .fields = fields };
	struct weft_http_scan s = { .pos = 0 };
	enum weft_status st;
	uint8_t *copy;

	kind = kind == WEFT_HTTP_RESPONSE ? WEFT_HTTP_RESPONSE_TRAILER : WEFT_HTTP_TRAILER;
	st = scan(&s, kind, in, len, step, &o->no);
	if (st)
		return st;
	copy = fuzz_bytes(in, s.pos);
	if (s.folded)
		weft_http_unfold(copy, s.pos);
	st = weft_http_parse(&s, kind, copy, &m, &o->no);
	o->used += s.pos;
	free(copy);
	return st;
}

static enum weft_status chunks(
	struct outcome *o, enum weft_http_kind kind, const uint8_t *in, size_t len, size_t step)
{
	struct weft_http_chunked dec = { .left = 0 };
	enum weft_status st = WEFT_AGAIN;
	struct weft_span data;
	size_t n, at = 0, have = 0;

	while (st >= 0 && st != WEFT_EOF) {
		if (at == have && have == len)
			return WEFT_AGAIN;
		if (at == have || st == WEFT_AGAIN)
			have = more(have, len, step);
		st = weft_http_chunked_decode(
			&dec, in + at, have - at, SIZE_MAX, &n, &data, &o->no);
		at += n;
		if (data.len)
			memcpy(o->out + o->out_len, data.ptr, data.len);
		o->out_len += data.len;
	}
	o->used += at;
	return st == WEFT_EOF ? trailers(o, kind, in + at, len - at, step) : st;
}

static enum weft_status read_body(
	struct outcome *o, enum weft_http_kind kind, const uint8_t *in, size_t len, size_t step)
{
	size_t n = len;

	if (o->framing == WEFT_HTTP_BODY_CHUNKED)
		return chunks(o, kind, in, len, step);
	if (o->framing == WEFT_HTTP_BODY_NONE)
		n = 0;
	if (o->framing == WEFT_HTTP_BODY_LENGTH && o->length < n)
		n = (size_t)o->length;
	if (n)
		memcpy(o->out, in, n);
	o->out_len = n;
	o->used += n;
	return o->framing == WEFT_HTTP_BODY_LENGTH && n < o->length ? WEFT_AGAIN : WEFT_OK;
}

static void ours(struct outcome *o, enum weft_http_kind kind, const char *method, const uint8_t *in,
	size_t len, size_t step)
{
	struct weft_http_scan s = { .pos = 0 };

	*o = (struct outcome){ .head = WEFT_AGAIN, .body = WEFT_AGAIN };
	o->m.fields = o->fields;
	o->out = fuzz_bytes(in, len);
	o->head = scan(&s, kind, in, len, step, &o->no);
	if (o->head)
		return;
	o->copy = fuzz_bytes(in, s.pos);
	if (s.folded)
		weft_http_unfold(o->copy, s.pos);
	o->head_len = o->used = s.pos;
	o->head = read_head(o, kind, method, &s);
	if (o->head == WEFT_OK)
		o->body = read_body(o, kind, in + s.pos, len - s.pos, step);
}

static void same_part(const struct outcome *o, const void *ptr, size_t len, struct ref_part part)
{
	must(len == part.len);
	must(!len || (const uint8_t *)ptr == o->copy + part.at);
}

static void same_text(const struct weft_span *span, const char *text, size_t len)
{
	must(span->len == len && (!len || !memcmp(span->ptr, text, len)));
}

static void same_message(const struct outcome *o, const struct ref_message *r, bool request)
{
	static const enum ref_framing framings[] = {
		[WEFT_HTTP_BODY_NONE] = REF_NONE,
		[WEFT_HTTP_BODY_LENGTH] = REF_LENGTH,
		[WEFT_HTTP_BODY_CHUNKED] = REF_CHUNKED,
		[WEFT_HTTP_BODY_CLOSE] = REF_UNTIL_END,
		[WEFT_HTTP_BODY_TUNNEL] = REF_TUNNEL,
	};

	must(o->head_len == r->head_len && o->m.version == r->version);
	must(o->m.count == r->count);
	for (size_t i = 0; i < r->count; i++) {
		same_part(o, o->fields[i].name, o->fields[i].name_len, r->fields[i].name);
		same_part(o, o->fields[i].value, o->fields[i].value_len, r->fields[i].value);
	}
	must(framings[o->framing] == r->framing);
	must(r->framing != REF_LENGTH || o->length == r->length);
	must(o->facts.close == r->close && o->facts.keep_alive == r->keep_alive);
	if (!request) {
		must(o->m.status == r->status);
		same_part(o, o->m.reason.ptr, o->m.reason.len, r->reason);
		return;
	}
	must(o->facts.expect_continue == r->expect_continue);
	same_part(o, o->m.method.ptr, o->m.method.len, r->method);
	same_text(&o->target.authority, r->authority, r->authority_len);
	same_text(&o->target.target, r->path, r->path_len);
}

/* What is refused before its end must not be a beginning of something that is accepted. */
static void no_beginning(const char *method, const uint8_t *in, size_t len)
{
	static const char *const tails[] = { "\r\n\r\n", "\n\r\n\r\n", "\r\n", "\n", "a: b\r\n\r\n",
		": b\r\n\r\n", " HTTP/1.1\r\nhost: a\r\n\r\n", "/ HTTP/1.0\r\n\r\n",
		"HTTP/1.0\r\n\r\n", "0\r\n\r\n", "\r\n0\r\n\r\n", ";\r\n\r\n0\r\n\r\n" };
	struct ref_message r;
	uint8_t *text, *out;

	for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++) {
		size_t tail = strlen(tails[i]);

		text = malloc(len + tail);
		out = malloc(len + tail);
		must(text && out);
		memcpy(text, in, len);
		memcpy(text + len, tails[i], tail);
		if (method)
			ref_response(text, len + tail, method, out, &r);
		else
			ref_request(text, len + tail, false, out, &r);
		must(r.head != REF_ACCEPTED || r.body != REF_ACCEPTED);
		free(text);
		free(out);
	}
}

static enum ref_verdict verdict(enum weft_status st)
{
	return st < 0 ? REF_REFUSED : st == WEFT_OK ? REF_ACCEPTED : REF_INCOMPLETE;
}

static void compare(const struct outcome *o, const struct ref_message *r, const char *method,
	const uint8_t *in, size_t len, const uint8_t *body)
{
	enum ref_verdict head = verdict(o->head), rest = verdict(o->body);

	if (head == REF_REFUSED && r->head == REF_INCOMPLETE) {
		no_beginning(method, in, len);
		return;
	}
	must(head == r->head);
	if (head == REF_REFUSED)
		must(o->no.status == r->refusal);
	if (head != REF_ACCEPTED)
		return;
	same_message(o, r, !method);
	if (rest == REF_REFUSED && r->body == REF_INCOMPLETE) {
		no_beginning(method, in, len);
		return;
	}
	must(rest == r->body);
	must(o->out_len == r->body_len && !memcmp(o->out, body, r->body_len));
	must(rest != REF_ACCEPTED || o->used == r->used);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *method = NULL;
	size_t step[2];
	struct ref_message r;
	struct outcome o;
	uint8_t *in, *body;

	if (len < 3)
		return 0;
	method = data[0] == 'G'   ? "GET"
		 : data[0] == 'H' ? "HEAD"
		 : data[0] == 'C' ? "CONNECT"
				  : NULL;
	step[0] = len;
	step[1] = 1 + data[1] % 32;
	data += 2;
	len -= 2;
	in = fuzz_bytes(data, len);
	body = fuzz_bytes(data, len);
	if (method)
		ref_response(in, len, method, body, &r);
	else
		ref_request(in, len, false, body, &r);
	for (size_t i = 0; i < 2; i++) {
		ours(&o, method ? WEFT_HTTP_RESPONSE : WEFT_HTTP_REQUEST, method, data, len,
			step[i]);
		compare(&o, &r, method, data, len, body);
		free(o.copy);
		free(o.out);
	}
	free(in);
	free(body);
	return 0;
}
