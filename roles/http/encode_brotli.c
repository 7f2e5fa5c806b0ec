/* SPDX-License-Identifier: MIT */
/* brotli by libbrotlienc: RFC 7932. */
#include <brotli/encode.h>

#include "roles/http/encoders.h"

enum { QUALITY = 5, WINDOW_BITS_MAX = 16 };

struct brotli {
	BrotliEncoderState *encoder;
	const struct weft_allocator *alloc;
	bool starved; /* the context had no memory: the encoder must not go on */
};

/* As Debian builds it, the library ends the process where it gets NULL: it gets something else for its last steps. */
static void *b_alloc(void *opaque, size_t len)
{
	struct brotli *b = opaque;
	void *block = weft_http_sized_alloc(b->alloc, len);

	if (block)
		return block;
	b->starved = true;
	return weft_http_sized_malloc(len);
}

static void b_free(void *opaque, void *block)
{
	weft_http_sized_free(((struct brotli *)opaque)->alloc, block);
}

static void brotli_destroy(void *state)
{
	struct brotli *b = state;

	if (b->encoder)
		BrotliEncoderDestroyInstance(b->encoder);
	weft_free(b->alloc, b, sizeof(*b));
}

static void *brotli_create(const struct weft_allocator *alloc, uint64_t size)
{
	int bits = weft_http_window_bits(size, BROTLI_MIN_WINDOW_BITS, WINDOW_BITS_MAX);
	uint32_t hint = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
	struct brotli *b = weft_zalloc(alloc, sizeof(*b));

	if (!b)
		return NULL;
	b->alloc = alloc;
	b->encoder = BrotliEncoderCreateInstance(b_alloc, b_free, b);
	if (b->encoder && !b->starved &&
		BrotliEncoderSetParameter(b->encoder, BROTLI_PARAM_QUALITY, QUALITY) &&
		BrotliEncoderSetParameter(b->encoder, BROTLI_PARAM_LGWIN, (uint32_t)bits) &&
		BrotliEncoderSetParameter(b->encoder, BROTLI_PARAM_SIZE_HINT, hint))
		return b;
	brotli_destroy(b);
	return NULL;
}

static enum weft_status brotli_run(void *state, struct weft_span *in, bool last, unsigned char *out,
	size_t out_len, size_t *made)
{
	struct brotli *b = state;
	size_t room = out_len;

	if (!BrotliEncoderCompressStream(b->encoder,
		    last ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_PROCESS, &in->len, &in->ptr,
		    &room, &out, NULL) ||
		b->starved)
		return WEFT_ERR_MEMORY;
	*made = out_len - room;
	return BrotliEncoderIsFinished(b->encoder) ? WEFT_EOF : WEFT_OK;
}

const struct weft_http_encoder_ops weft_http_brotli = {
	.create = brotli_create,
	.run = brotli_run,
	.destroy = brotli_destroy,
};
