/* SPDX-License-Identifier: MIT */
/* A scripted peer in memory. */
#include "tests/fuzz/peer.h"

#include "tests/fuzz/fuzz.h"

enum { CAPACITY = 1 << 20, TURNS_AT_THE_END = 64, QUIET_TURNS = 4, LONG_MS = 3600000 };

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

struct weft_context *fuzz_context(void)
{
	static struct weft_context *ctx;
	/* on a machine that lets it wait, no time may pass for the peer's */
	const struct weft_context_options o = {
		.event = "poll",
		.tls = "none",
		.log = no_log,
		.header_ms = LONG_MS,
		.idle_ms = LONG_MS,
		.flush_ms = LONG_MS,
		.rate_grace_ms = LONG_MS,
		.linger_ms = 1,
	};
	struct weft_error err;

	if (!ctx)
		must(!weft_context_create(&o, &ctx, &err));
	return ctx;
}

static void ready(void *user, unsigned events)
{
	(void)user;
	(void)events;
}

void fuzz_peer_make(struct fuzz_peer *p, struct weft_transport **other)
{
	static const struct weft_transport_owner owner = { .ready = ready };
	struct weft_transport *ends[2];
	struct weft_error err;

	must(!weft_transport_memory_pair(fuzz_context(), CAPACITY, ends, &err));
	*p = (struct fuzz_peer){ .end = ends[1], .got = calloc(1, 1), .cap = 1 };
	must(p->got);
	must(!ends[1]->ops->start(ends[1], &owner, &err));
	*other = ends[0];
}

/* One turn, and what came in it. */
static bool turn(struct fuzz_peer *p)
{
	struct weft_span got = { NULL, 0 };
	size_t before = p->len;
	struct weft_error err;
	enum weft_status st;

	must(weft_context_turn(fuzz_context(), 0) >= 0);
	while (!p->over && (st = p->end->ops->read(p->end, &got, &err)) != WEFT_AGAIN) {
		p->over = st != WEFT_OK;
		if (p->over)
			break;
		if (p->len + got.len + 1 > p->cap) {
			p->cap = (p->len + got.len + 1) * 2;
			p->got = realloc(p->got, p->cap);
			must(p->got);
		}
		memcpy(p->got + p->len, got.ptr, got.len);
		p->len += got.len;
		p->got[p->len] = 0;
	}
	return p->len > before;
}

void fuzz_peer_feed(struct fuzz_peer *p, const uint8_t *bytes, size_t len, size_t step)
{
	struct weft_segment seg;
	struct weft_error err;
	size_t taken, n;

	for (; len && !p->over; bytes += n, len -= n) {
		n = len < step ? len : step;
		taken = 0;
		seg = weft_segment_static(bytes, n);
		if (p->end->ops->write(p->end, &seg, 1, &taken, &err) < 0)
			break;
		must(taken == n);
		turn(p);
	}
	turn(p);
}

void fuzz_peer_finish(struct fuzz_peer *p)
{
	struct weft_error err;
	unsigned quiet = 0;

	(void)p->end->ops->shutdown(p->end, &err);
	for (unsigned i = 0; i < TURNS_AT_THE_END && quiet < QUIET_TURNS && !p->over; i++)
		quiet = turn(p) ? 0 : quiet + 1;
}

void fuzz_peer_close(struct fuzz_peer *p)
{
	weft_transport_destroy(p->end);
	free(p->got);
	/* the other end notices */
	for (unsigned i = 0; i < QUIET_TURNS; i++)
		must(weft_context_turn(fuzz_context(), 0) >= 0);
}
