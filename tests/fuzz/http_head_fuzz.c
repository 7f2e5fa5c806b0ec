/* SPDX-License-Identifier: MIT */
/*
 * Heads, from the scan to the decisions made of them. The first byte chooses request, response or trailer,
 * and the limits; the second how the rest is split. The verdict must not depend on the split.
 */
#include "roles/http/chars.h"
#include "roles/http/target.h"
#include "tests/fuzz/fuzz.h"

enum { FIELDS_MAX = 256 };

static const struct weft_http_bounds bounds[] = {
	{ 65536, 128 },
	{ 64, 128 },
	{ 65536, 2 },
	{ 40, 1 },
};

static const char *const methods[] = { "GET", "HEAD", "CONNECT", NULL };

static void check_fields(const struct weft_http_message *m, const uint8_t *in, size_t len)
{
	const char *from = (const char *)in, *to = from + len;

	for (size_t i = 0; i < m->count; i++) {
		const struct weft_field *f = &m->fields[i];

		must(weft_http_token(f->name, f->name_len));
		must(weft_http_value(f->value, f->value_len));
		must(f->name >= from && f->name + f->name_len < f->value);
		must(f->value + f->value_len <= to);
		if (!f->value_len)
			continue;
		must(f->value[0] != ' ' && f->value[0] != '\t');
		must(f->value[f->value_len - 1] != ' ' && f->value[f->value_len - 1] != '\t');
	}
}

static void check_refusal(enum weft_status st, const struct weft_http_refusal *no)
{
	must(st == WEFT_ERR_PROTOCOL || st == WEFT_ERR_LIMIT);
	must(no->why && *no->why && no->status >= 400 && no->status < 600);
	must((st == WEFT_ERR_LIMIT) == (no->status == 414 || no->status == 431));
}

static void check_body(enum weft_http_body body, uint64_t length, const struct weft_http_message *m,
	const struct weft_http_facts *facts)
{
	must((body == WEFT_HTTP_BODY_LENGTH) == (length > 0));
	must(length <= INT64_MAX);
	if (body == WEFT_HTTP_BODY_LENGTH)
		must(facts->lengths == 1 && !facts->codings);
	if (body == WEFT_HTTP_BODY_CHUNKED)
		must(facts->codings == 1 && !facts->lengths && m->version == 11);
}

static void check_request(const struct weft_http_message *m, const struct weft_http_facts *facts)
{
	struct weft_http_refusal no = { 0, NULL };
	enum weft_http_body body = WEFT_HTTP_BODY_NONE;
	struct weft_http_target t;
	enum weft_status st;
	uint64_t length;
	char path[256];

	must(m->version == 10 || m->version == 11);
	must(weft_http_token((const char *)m->method.ptr, m->method.len) && m->method.len <= 64);
	must(m->target.len);
	st = weft_http_request_body(m, facts, &body, &length, &no);
	if (st)
		check_refusal(st, &no);
	else
		check_body(body, length, m, facts);
	must(st || (body != WEFT_HTTP_BODY_CLOSE && body != WEFT_HTTP_BODY_TUNNEL));
	st = weft_http_request_target(m, facts, &t, &no);
	if (st) {
		check_refusal(st, &no);
		return;
	}
	must(facts->hosts <= 1 && t.target.len);
	if (t.authority.len)
		must(weft_http_authority((const char *)t.authority.ptr, t.authority.len, false));
	else
		must(m->version == 10);
	if (t.target.ptr[0] == '/') {
		char *target = fuzz_string(t.target.ptr, t.target.len);

		if (weft_http_decode_path(target, path, sizeof(path)))
			must(path[0] == '/' && !strstr(path, "/.") && !strstr(path, "//"));
		free(target);
	}
}

static void check_response(const struct weft_http_message *m, const struct weft_http_facts *facts)
{
	struct weft_http_refusal no = { 0, NULL };
	enum weft_http_body body;
	enum weft_status st;
	uint64_t length;

	must(m->status >= 100 && m->status < 1000);
	must(m->version == 10 || m->version == 11);
	must(weft_http_value((const char *)m->reason.ptr, m->reason.len));
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		st = weft_http_response_body(m, facts, methods[i], &body, &length, &no);
		if (st)
			check_refusal(st, &no);
		else
			check_body(body, length, m, facts);
		if (weft_http_bodyless(methods[i], m->status))
			must(!st && (body == WEFT_HTTP_BODY_NONE || body == WEFT_HTTP_BODY_TUNNEL));
	}
}

static void check_message(const struct weft_http_scan *scan, enum weft_http_kind kind,
	const uint8_t *in, const struct weft_http_bounds *limits)
{
	struct weft_field fields[FIELDS_MAX];
	struct weft_http_message m = { .fields = fields };
	struct weft_http_refusal no = { 0, NULL };
	struct weft_http_facts facts;
	enum weft_status st;

	must(scan->pos <= limits->bytes && scan->lines <= limits->fields + 1);
	must(in[scan->pos - 2] == '\r' && in[scan->pos - 1] == '\n');
	st = weft_http_parse(scan, kind, in, &m, &no);
	if (st) {
		check_refusal(st, &no);
		return;
	}
	must(m.count + (kind != WEFT_HTTP_TRAILER) == scan->lines);
	check_fields(&m, in, scan->pos);
	weft_http_facts(&m, &facts);
	must(!facts.hosts == !facts.host && !facts.lengths == !facts.length);
	if (kind == WEFT_HTTP_REQUEST)
		check_request(&m, &facts);
	else if (kind == WEFT_HTTP_RESPONSE)
		check_response(&m, &facts);
	must(weft_http_persistent(&m, &facts) ==
		(!facts.close && (m.version == 11 || facts.keep_alive)));
}

static enum weft_status scan_in_pieces(struct weft_http_scan *scan, enum weft_http_kind kind,
	const uint8_t *in, size_t len, size_t step, const struct weft_http_bounds *limits,
	struct weft_http_refusal *no)
{
	enum weft_status st = WEFT_AGAIN;
	size_t have = 0;

	while (st == WEFT_AGAIN && have < len) {
		have = len - have < step ? len : have + step;
		st = weft_http_scan(scan, kind, in, have, limits, no);
		must(scan->pos <= have);
		must(st != WEFT_AGAIN || scan->pos == have);
	}
	return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct weft_http_scan whole = { .pos = 0 }, pieces = { .pos = 0 };
	struct weft_http_refusal no = { 0, NULL }, again = { 0, NULL };
	const struct weft_http_bounds *limits;
	enum weft_http_kind kind;
	enum weft_status st;
	size_t step;

	if (len < 3)
		return 0;
	/* readable in the corpus: 'Q', 'R' and 'S' choose the three kinds, with wide limits */
	kind = (enum weft_http_kind)(data[0] % 3);
	limits = &bounds[(data[0] / 32 % 4) ^ 2];
	step = 1 + data[1] % 32;
	data += 2;
	len -= 2;
	st = weft_http_scan(&whole, kind, data, len, limits, &no);
	must(scan_in_pieces(&pieces, kind, data, len, step, limits, &again) == st);
	must(no.status == again.status && no.why == again.why);
	must(whole.pos == pieces.pos && whole.lines == pieces.lines && whole.start == pieces.start);
	if (st < 0)
		check_refusal(st, &no);
	if (st == WEFT_OK)
		check_message(&whole, kind, data, limits);
	return 0;
}
