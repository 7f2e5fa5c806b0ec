/* SPDX-License-Identifier: MIT */
/*
 * nghttp2's memory. Its ways out of a lack of memory are not to be trusted (1.52 frees an item twice that it could not
 * queue): from the first failure on nothing is really freed until the session is given up, then all of it is.
 *
 * The 16 KiB in which a server's makes its frames are the pipes' workspace, and not each session's own: what is in them was
 * copied into the pipe when nghttp2_session_mem_send returned, and bodies never are (weft_h2_send_data takes all or
 * fails). Of a head that is longer, the rest is in pieces of its own.
 */
#include <string.h>

#include "roles/h2/h2.h"

/* In front of each piece: ours wants to know sizes. A multiple of 16 bytes keeps malloc's alignment. */
struct weft_h2_piece {
	struct weft_h2_piece *next, *prev;
	size_t len; /* this included */
	size_t spare;
};

/* What nghttp2 asks for when it makes a session: a frame's payload, its head, and the length of a padding. */
enum { FRAME_BUFFER = 16384 + 9 + 1 };

static void link_piece(struct weft_h2 *h, struct weft_h2_piece *p)
{
	p->prev = NULL;
	p->next = h->pieces;
	if (p->next)
		p->next->prev = p;
	h->pieces = p;
}

static void unlink_piece(struct weft_h2 *h, struct weft_h2_piece *p)
{
	if (p->next)
		p->next->prev = p->prev;
	if (p->prev)
		p->prev->next = p->next;
	else
		h->pieces = p->next;
}

static void *mem_malloc(size_t len, void *user)
{
	struct weft_h2 *h = user;
	struct weft_h2_piece *p = NULL;

	if (len <= SIZE_MAX - sizeof(*p))
		p = weft_alloc(h->alloc, sizeof(*p) + len);
	if (!p) {
		h->starved = true;
		return NULL;
	}
	p->len = sizeof(*p) + len;
	link_piece(h, p);
	return p + 1;
}

static void mem_free(void *ptr, void *user)
{
	struct weft_h2_piece *p;
	struct weft_h2 *h = user;

	if (!ptr || h->starved || ptr == h->frame)
		return;
	p = (struct weft_h2_piece *)ptr - 1;
	unlink_piece(h, p);
	weft_free(h->alloc, p, p->len);
}

static void *mem_calloc(size_t n, size_t each, void *user)
{
	void *ptr = each && n > SIZE_MAX / each ? NULL : mem_malloc(n * each, user);

	if (ptr)
		memset(ptr, 0, n * each);
	return ptr;
}

static void *mem_realloc(void *ptr, size_t len, void *user)
{
	const struct weft_h2_piece *p = ptr;
	struct weft_h2 *h = user;
	size_t old;
	void *to;

	if (!ptr && len == FRAME_BUFFER && h->making && !h->frame) {
		h->frame = weft_pipe_workspace(h->pipe, FRAME_BUFFER);
		if (h->frame)
			return h->frame;
	}
	to = mem_malloc(len, user);
	if (!ptr || !to)
		return to;
	old = ptr == h->frame ? FRAME_BUFFER : p[-1].len - sizeof(*p);
	memcpy(to, ptr, old < len ? old : len);
	mem_free(ptr, user);
	return to;
}

void weft_h2_memory_begin(struct weft_h2 *h)
{
	h->mem = (nghttp2_mem){
		.mem_user_data = h,
		.malloc = mem_malloc,
		.free = mem_free,
		.calloc = mem_calloc,
		.realloc = mem_realloc,
	};
}

void weft_h2_memory_end(struct weft_h2 *h)
{
	struct weft_h2_piece *p;

	if (!h->starved)
		nghttp2_session_del(h->session);
	if (h->frame)
		weft_pipe_workspace_end(h->pipe);
	h->frame = NULL;
	while ((p = h->pieces)) {
		h->pieces = p->next;
		weft_free(h->alloc, p, p->len);
	}
}
