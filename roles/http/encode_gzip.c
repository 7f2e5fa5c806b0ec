/* SPDX-License-Identifier: MIT */
/* gzip by zlib: RFC 1952. */
#include <string.h>
#include <zlib.h>

#include "roles/http/encoders.h"

enum { LEVEL = 5, GZIP_WRAPPER = 16 };

struct gzip {
	z_stream z;
	const struct weft_allocator *alloc;
};

static void *z_alloc(void *opaque, uInt items, uInt size)
{
	return weft_http_sized_alloc(opaque, (size_t)items * size);
}

static void z_free(void *opaque, void *block)
{
	weft_http_sized_free(opaque, block);
}

static void *gzip_create(const struct weft_allocator *alloc, uint64_t size)
{
	int bits = weft_http_window_bits(size, 9, 15);
	struct gzip *g = weft_zalloc(alloc, sizeof(*g));

	if (!g)
		return NULL;
	g->alloc = alloc;
	g->z.zalloc = z_alloc;
	g->z.zfree = z_free;
	g->z.opaque = (void *)(uintptr_t)alloc;
	/* the hash table shrinks with the window: little files take little memory */
	if (deflateInit2(&g->z, LEVEL, Z_DEFLATED, bits + GZIP_WRAPPER, bits - 7,
		    Z_DEFAULT_STRATEGY) == Z_OK)
		return g;
	weft_free(alloc, g, sizeof(*g));
	return NULL;
}

static enum weft_status gzip_run(void *state, struct weft_span *in, bool last, unsigned char *out,
	size_t out_len, size_t *made)
{
	struct gzip *g = state;
	int rc;

	g->z.next_in = (Bytef *)(uintptr_t)in->ptr;
	g->z.avail_in = (uInt)in->len;
	g->z.next_out = out;
	g->z.avail_out = (uInt)out_len;
	rc = deflate(&g->z, last ? Z_FINISH : Z_NO_FLUSH);
	*in = (struct weft_span){ g->z.next_in, g->z.avail_in };
	*made = out_len - g->z.avail_out;
	if (rc == Z_STREAM_END)
		return WEFT_EOF;
	return rc == Z_OK || rc == Z_BUF_ERROR ? WEFT_OK : WEFT_ERR_STATE;
}

static void gzip_destroy(void *state)
{
	struct gzip *g = state;

	(void)deflateEnd(&g->z);
	weft_free(g->alloc, g, sizeof(*g));
}

const struct weft_http_encoder_ops weft_http_gzip = {
	.create = gzip_create,
	.run = gzip_run,
	.destroy = gzip_destroy,
};
