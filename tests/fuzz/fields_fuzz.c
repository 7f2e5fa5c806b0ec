/* SPDX-License-Identifier: MIT */
/*
 * What an application gives as method, target and field: what passes the checks must, written into a
 * message, be read as exactly that, and change nothing of where the message ends. Lines of input: kind and
 * method, target, name, value (all that is left).
 */
#include "roles/http/framing.h"
#include "roles/http/outgoing.h"
#include "tests/fuzz/fuzz.h"

struct part {
	const uint8_t *p;
	size_t len;
};

static struct part line(const uint8_t **p, const uint8_t *end)
{
	const uint8_t *lf = *p < end ? memchr(*p, '\n', (size_t)(end - *p)) : NULL;
	struct part got = { *p, (size_t)((lf ? lf : end) - *p) };

	*p = lf ? lf + 1 : end;
	return got;
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t len)
{
	if (len)
		memcpy(at, bytes, len);
	return at + len;
}

static uint8_t *puts_(uint8_t *at, const char *text)
{
	return put(at, text, strlen(text));
}

static void written_is_read(enum weft_http_outgoing kind, const char *method, const char *target,
	const struct weft_field *f)
{
	static const enum weft_http_kind kinds[] = { WEFT_HTTP_REQUEST, WEFT_HTTP_RESPONSE,
		WEFT_HTTP_TRAILER };
	static const struct weft_http_bounds wide = { 1 << 20, 8 };
	size_t size = strlen(method) + strlen(target) + f->name_len + f->value_len + 64;
	uint8_t *text = malloc(size), *at = text;
	struct weft_field fields[8];
	struct weft_http_message m = { .fields = fields };
	struct weft_http_scan scan = { .pos = 0 };
	struct weft_http_refusal no;
	struct weft_http_facts facts;
	const char *value = f->value;
	size_t len = f->value_len;

	must(text);
	if (kind == WEFT_HTTP_OUT_REQUEST) {
		at = puts_(puts_(puts_(at, method), " "), *target == '?' ? "/" : "");
		at = puts_(puts_(at, target), " HTTP/1.1\r\n");
	} else if (kind == WEFT_HTTP_OUT_RESPONSE) {
		at = puts_(at, "HTTP/1.1 200 OK\r\n");
	}
	at = puts_(put(at, f->name, f->name_len), ": ");
	at = puts_(put(at, f->value, f->value_len), "\r\n\r\n");
	must(weft_http_scan(&scan, kinds[kind], text, (size_t)(at - text), &wide, &no) == WEFT_OK);
	must(scan.pos == (size_t)(at - text));
	must(weft_http_parse(&scan, kinds[kind], text, &m, &no) == WEFT_OK);
	must(m.count == 1);
	must(fields[0].name_len == f->name_len && !memcmp(fields[0].name, f->name, f->name_len));
	for (; len && (*value == ' ' || *value == '\t'); len--)
		value++;
	while (len && (value[len - 1] == ' ' || value[len - 1] == '\t'))
		len--;
	must(fields[0].value_len == len && (!len || !memcmp(fields[0].value, value, len)));
	weft_http_facts(&m, &facts);
	must(!facts.lengths && !facts.codings);
	must(!facts.hosts || kind == WEFT_HTTP_OUT_RESPONSE);
	if (kind == WEFT_HTTP_OUT_REQUEST)
		must(m.method.len == strlen(method) && !memcmp(m.method.ptr, method, m.method.len));
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *p = data + 1, *end = data + len;
	struct part method, target, name;
	char *method_text, *target_text;
	struct weft_field f;
	struct weft_error err;
	enum weft_http_outgoing kind;
	enum weft_status st;
	uint8_t *value;

	if (!len)
		return 0;
	kind = (enum weft_http_outgoing)(data[0] % 3);
	method = line(&p, end);
	target = line(&p, end);
	name = line(&p, end);
	method_text = fuzz_string(method.p, method.len);
	target_text = fuzz_string(target.p, target.len);
	value = fuzz_bytes(p, (size_t)(end - p));
	f = (struct weft_field){ (const char *)name.p, name.len, (const char *)value,
		(size_t)(end - p) };
	st = weft_http_check_fields(kind, &f, 1, &err);
	must(st == WEFT_OK || (st == WEFT_ERR_ARGUMENT && *err.text));
	if (st == WEFT_OK) {
		st = weft_http_check_request(method_text, target_text, strlen(target_text), &err);
		must(st == WEFT_OK || (st == WEFT_ERR_ARGUMENT && *err.text));
		if (st == WEFT_OK && strcmp(method_text, "CONNECT"))
			written_is_read(kind, method_text, target_text, &f);
	}
	free(method_text);
	free(target_text);
	free(value);
	return 0;
}
