/* SPDX-License-Identifier: MIT */
/* Walking over segments. */
#include "weft/segment.h"

#include <string.h>

struct weft_span weft_gather_next(struct weft_gather *g, unsigned char *room, size_t max)
{
	struct weft_span piece = { room, 0 };
	const struct weft_segment *s;
	size_t n;

	while (g->at < g->count && piece.len < max) {
		s = &g->segs[g->at];
		n = s->len - g->off;
		if (n > max - piece.len)
			n = max - piece.len;
		if (n == max)
			piece.ptr = s->ptr + g->off;
		else if (n)
			memcpy(room + piece.len, s->ptr + g->off, n);
		piece.len += n;
		g->off += n;
		if (g->off == s->len) {
			g->at++;
			g->off = 0;
		}
	}
	return piece;
}
