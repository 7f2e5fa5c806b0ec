/* SPDX-License-Identifier: MIT */
/*
 * The chunked coding. The first byte says how the rest is split, the second how large the window is; bytes
 * and verdict must be the same as in one piece. What comes out is coded again, and must come back.
 */
#include "roles/http/chunked.h"
#include "tests/fuzz/fuzz.h"

struct outcome {
	enum weft_status status;
	struct weft_http_refusal no;
	size_t used, len;
	uint8_t *out; /* as long as the input */
};

static void decode(struct outcome *o, const uint8_t *in, size_t len, size_t step, size_t window)
{
	struct weft_http_chunked dec = { .left = 0 };
	struct weft_span data;
	size_t end, used;

	*o = (struct outcome){ .status = WEFT_AGAIN, .out = fuzz_bytes(in, len) };
	end = step < len ? step : len;
	while (o->used < len) {
		o->status = weft_http_chunked_decode(
			&dec, in + o->used, end - o->used, window, &used, &data, &o->no);
		o->used += used;
		must(o->used <= end);
		if (o->status == WEFT_OK) {
			must(data.len && data.len <= window);
			must(data.ptr + data.len == in + o->used);
			memcpy(o->out + o->len, data.ptr, data.len);
			o->len += data.len;
			o->status = WEFT_AGAIN;
		} else if (o->status != WEFT_AGAIN) {
			return;
		} else {
			must(o->used == end && !data.len);
		}
		if (o->used == end)
			end = len - end < step ? len : end + step;
	}
}

static void code_again(const uint8_t *body, size_t len, size_t step)
{
	uint8_t *text = malloc(len * (WEFT_HTTP_CHUNK_HEAD_MAX + 3) + 8);
	char head[WEFT_HTTP_CHUNK_HEAD_MAX];
	size_t n, used = 0;
	struct outcome o;

	must(text);
	for (size_t at = 0; at <= len; at += n) {
		size_t head_len;

		n = len - at < step ? len - at : step;
		head_len = weft_http_chunk_head(head, n);
		memcpy(text + used, head, head_len);
		used += head_len;
		if (!n)
			break;
		memcpy(text + used, body + at, n);
		memcpy(text + used + n, "\r\n", 2);
		used += n + 2;
	}
	decode(&o, text, used, step, SIZE_MAX);
	must(o.status == WEFT_EOF && o.used == used);
	must(o.len == len && !memcmp(o.out, body, len));
	free(o.out);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct outcome whole, pieces;
	size_t step, window;

	if (len < 2)
		return 0;
	step = 1 + data[0] % 32;
	window = 1 + data[1] % 32;
	data += 2;
	len -= 2;
	decode(&whole, data, len, len ? len : 1, SIZE_MAX);
	decode(&pieces, data, len, step, window);
	must(whole.status == pieces.status && whole.used == pieces.used);
	must(whole.no.status == pieces.no.status && whole.no.why == pieces.no.why);
	must(whole.len == pieces.len && !memcmp(whole.out, pieces.out, whole.len));
	if (whole.status < 0)
		must(whole.status == WEFT_ERR_PROTOCOL && whole.no.status == 400);
	code_again(whole.out, whole.len, step);
	free(whole.out);
	free(pieces.out);
	return 0;
}
