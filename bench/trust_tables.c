/* SPDX-License-Identifier: MIT */
/*
 * Tables as `weft policy compile` would have made them, with the certificates of a real bundle: each store
 * leaves out another one or two of them, and has our own CA besides.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trust.h"

enum { CERTS_MAX = 999, DER_MAX = 16384, CERTS_MIN = 8 };

struct kept {
	struct kept *next;
	max_align_t bytes[];
};

static struct kept *kept_first;

/* Asked for before anything is measured. */
static void *keep(size_t count, size_t len)
{
	struct kept *k = calloc(1, sizeof(*k) + count * len);

	if (!k)
		trust_die("preparing", "no memory");
	k->next = kept_first;
	kept_first = k;
	return k->bytes;
}

void trust_forget(void)
{
	struct kept *k;

	while ((k = kept_first)) {
		kept_first = k->next;
		free(k);
	}
}

/* false: there is no such file. */
static bool read_der(const char *path, struct weft_span *out)
{
	static unsigned char bytes[DER_MAX];
	FILE *f = fopen(path, "rb");
	void *copy;

	if (!f)
		return false;
	out->len = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	copy = keep(1, out->len);
	memcpy(copy, bytes, out->len);
	out->ptr = copy;
	return true;
}

static int by_content(const void *a, const void *b)
{
	const struct weft_span *x = a, *y = b;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->ptr, y->ptr, x->len);
}

static size_t read_bundle(const struct trust_args *args, struct weft_span *certs)
{
	char path[512];
	size_t n = 0;

	do
		snprintf(path, sizeof(path), "%s/certs/%03zu.der", args->folder, n);
	while (n < CERTS_MAX && read_der(path, &certs[n]) && ++n);
	if (n < CERTS_MIN)
		trust_die(args->folder, "expected more certificates");
	return n;
}

static bool leaves_out(size_t store, size_t cert, size_t certs)
{
	size_t first = store % certs;

	return cert == first || (store >= certs && cert == (first + store / certs) % certs);
}

static void fill_trust(struct weft_policy_trust *t, const struct trust_args *args, size_t index,
	const struct weft_span *certs, size_t count, const struct weft_span *own)
{
	static const char *const no_names[] = { NULL };
	struct weft_span *ca = keep(count + 1, sizeof(*ca));
	char *name = keep(1, TRUST_NAME);
	size_t n = 0;

	snprintf(name, TRUST_NAME, "s%04zu", index % (TRUST_STORES_MAX + 1));
	for (size_t i = 0; i < count; i++) {
		if (!leaves_out(index, i, count))
			ca[n++] = certs[i];
	}
	ca[n++] = *own;
	qsort(ca, n, sizeof(*ca), by_content);
	*t = (struct weft_policy_trust){
		.name = name,
		.certs = no_names,
		.ca = ca,
		.ca_count = n,
		.hold = args->hold,
	};
}

const struct weft_policy *trust_tables(const struct trust_args *args, enum weft_share share)
{
	static struct weft_span certs[CERTS_MAX];
	struct weft_policy *policy = keep(1, sizeof(*policy));
	struct weft_policy_trust *trusts = keep(args->stores, sizeof(*trusts));
	struct weft_policy_stream *streams = keep(args->stores, sizeof(*streams));
	size_t count = read_bundle(args, certs);
	struct weft_span own;
	char path[512], *endpoint = keep(1, sizeof(path));

	snprintf(endpoint, sizeof(path), "unix:%s/socket", args->folder);
	snprintf(path, sizeof(path), "%s/ca.der", args->folder);
	if (!read_der(path, &own))
		trust_die(path, "cannot be read");
	for (size_t i = 0; i < args->stores; i++) {
		fill_trust(&trusts[i], args, i, certs, count, &own);
		streams[i] = (struct weft_policy_stream){
			.name = trusts[i].name,
			.endpoint = endpoint,
			.sni = "localhost",
			.protocol = "raw",
			.tls = true,
			.trust = &trusts[i],
			.share = share,
			.warm_holds = true,
		};
	}
	*policy = (struct weft_policy){
		.schema = WEFT_POLICY_SCHEMA,
		.size = sizeof(*policy),
		.name = "bench/trust",
		.product = "bench",
		.release = "1",
		.trusts = trusts,
		.trust_count = args->stores,
		.streams = streams,
		.stream_count = args->stores,
	};
	return policy;
}
