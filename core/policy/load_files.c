/* SPDX-License-Identifier: MIT */
/* Files that a policy names, and certificates out of them, in the one form that tables have: DER. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/policy/load.h"
#include "core/system/file.h"
#include "core/vhost/pem.h"
#include "weft/base64.h"

/* Before this a clock has never been set, and says nothing about a certificate: 2024-01-01. */
static const int64_t clock_set = 1704067200;

bool weft_load_file(
	struct weft_loading *l, const char *key, const char *name, struct weft_buffer *to)
{
	struct weft_error why;
	char path[4096];
	int n;

	if (name[0] == '/' || !l->folder[0])
		n = snprintf(path, sizeof(path), "%s", name);
	else
		n = snprintf(path, sizeof(path), "%s/%s", l->folder, name);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		weft_load_wrong(l, key, "the path is too long");
		return false;
	}
	if (weft_file_load(path, WEFT_LOAD_FILE_MAX, to, &why) == WEFT_OK)
		return true;
	if (why.status == WEFT_ERR_MEMORY)
		l->no_memory = true;
	weft_load_wrong(l, key, "%s", why.text);
	return false;
}

/* The base64 between the lines of a PEM block. */
static bool body_of(struct weft_span block, struct weft_span *body)
{
	static const char dashes[] = "-----";
	const unsigned char *from = memchr(block.ptr, '\n', block.len), *to;

	if (!from)
		return false;
	from++;
	to = memmem(from, (size_t)(block.ptr + block.len - from), dashes, sizeof(dashes) - 1);
	if (!to)
		return false;
	*body = (struct weft_span){ from, (size_t)(to - from) };
	return true;
}

static bool decode(struct weft_loading *l, const char *key, struct weft_span block,
	const char *what, size_t number, struct weft_span *der)
{
	struct weft_span body;
	unsigned char *bytes;
	size_t len;

	if (block.ptr[0] == 0x30) {
		der->ptr = (const unsigned char *)weft_load_text(
			l, (const char *)block.ptr, block.len);
		der->len = block.len;
		return der->ptr;
	}
	len = block.len;
	bytes = weft_load_alloc(l, len);
	if (!bytes)
		return false;
	if (!body_of(block, &body) ||
		!weft_base64_decode((const char *)body.ptr, body.len, true, bytes, &len) || !len) {
		weft_load_wrong(l, key,
			"%s %zu is not whole PEM: expected base64 between BEGIN and END", what,
			number);
		return false;
	}
	*der = (struct weft_span){ bytes, len };
	return true;
}

/* A certificate that another entry has, too, is kept once. */
static void share(struct weft_loading *l, struct weft_span *der)
{
	for (size_t i = 0; i < l->cert_count; i++) {
		for (size_t k = 0; k < l->certs[i].count; k++) {
			const struct weft_span *known = &l->certs[i].der[k];

			if (known->len != der->len || memcmp(known->ptr, der->ptr, der->len))
				continue;
			weft_load_take_back(l, der->ptr);
			der->ptr = known->ptr;
			return;
		}
	}
}

static void date_text(int64_t seconds, char out[16])
{
	time_t t = (time_t)seconds;
	struct tm parts;

	if (!gmtime_r(&t, &parts) || !strftime(out, 16, "%Y-%m-%d", &parts))
		strcpy(out, "an odd date");
}

/* What is behind the tag and the length at *at; NULL: nothing. X.690 section 8.1.3. */
static const unsigned char *inside(const unsigned char *at, const unsigned char *end)
{
	size_t lengths = end - at > 1 && at[1] & 0x80 ? at[1] & 0x7f : 0;

	return (size_t)(end - at) > 2 + lengths ? at + 2 + lengths : NULL;
}

/*
 * A certificate begins with a sequence that begins with no OID. Private keys begin with their version (RFC 5958,
 * 8017, 5915), encrypted and public ones with an algorithm. None may get into a compiled policy.
 */
static bool is_key(struct weft_span der)
{
	const unsigned char *end = der.ptr + der.len, *first = inside(der.ptr, end), *second;

	second = first && *first == 0x30 ? inside(first, end) : NULL;
	return first && (*first == 0x02 || (second && *second == 0x06));
}

/* What the backend says of it; without one it is taken as it is, unless it is a key. */
static bool read_it(struct weft_loading *l, const char *key, struct weft_span der, bool crl,
	const char *what, size_t number)
{
	struct weft_tls_cert cert;
	struct weft_error why;
	char date[16];

	if (is_key(der)) {
		weft_load_wrong(
			l, key, "%s %zu is a key, which has no place in a policy", what, number);
		return false;
	}
	if (!l->tls || !l->tls->cert_read)
		return true;
	memset(&cert, 0, sizeof(cert));
	if (l->tls->cert_read(der, crl ? NULL : &cert, &why)) {
		weft_load_wrong(l, key, "%s %zu cannot be read: %s", what, number, why.text);
		return false;
	}
	if (crl || l->now < clock_set)
		return true;
	if (cert.not_after < l->now) {
		date_text(cert.not_after, date);
		weft_load_wrong(
			l, key, "%s %zu (%.100s) expired on %s", what, number, cert.subject, date);
		return false;
	}
	if (cert.not_before > l->now) {
		date_text(cert.not_before, date);
		weft_load_wrong(l, key, "%s %zu (%.100s) is not valid before %s", what, number,
			cert.subject, date);
		return false;
	}
	return true;
}

bool weft_load_der(struct weft_loading *l, const char *key, struct weft_span bytes,
	const char *what, struct weft_span **der, size_t *count)
{
	bool crl = what[0] == 'C', ok = true; /* "CRL" */
	struct weft_span rest = bytes, block;
	size_t n = 0, made = 0;

	while (weft_pem_next(&rest, &block))
		n++;
	*count = 0;
	*der = n ? weft_load_alloc(l, n * sizeof(**der)) : NULL;
	if (!n)
		weft_load_wrong(l, key, "there is no %s in it, expected PEM or DER", what);
	if (!*der)
		return false;
	rest = bytes;
	for (n = 1; weft_pem_next(&rest, &block); n++) {
		struct weft_span *to = &(*der)[made];

		if (!decode(l, key, block, what, n, to) || !read_it(l, key, *to, crl, what, n)) {
			ok = false;
			continue;
		}
		if (!crl)
			share(l, to);
		made++;
	}
	*count = made;
	return ok;
}

static int by_content(const void *a, const void *b)
{
	const struct weft_span *p = a, *q = b;

	if (p->len != q->len)
		return p->len < q->len ? -1 : 1;
	return memcmp(p->ptr, q->ptr, p->len);
}

size_t weft_load_sort(struct weft_span *spans, size_t count)
{
	size_t kept = 0;

	if (count)
		qsort(spans, count, sizeof(*spans), by_content);
	for (size_t i = 0; i < count; i++) {
		if (!kept || by_content(&spans[kept - 1], &spans[i]))
			spans[kept++] = spans[i];
	}
	return kept;
}
