/* SPDX-License-Identifier: MIT */
/*
 * The driver between a TLS session and the bytes, with a session that makes its rules visible: a record is
 * four bytes, and what came of one is taken in at once, as the libraries do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/system/context.h"
#include "core/transport/tls.h"
#include "weft/weft.h"

enum { RECORD = 4 };

/* ---- the session ---- */

struct session {
	unsigned char record[RECORD];
	size_t len;
	bool taken; /* record was handed out */
	unsigned settled;
	size_t ticket; /* bytes before the next record */
};

static struct session session;

static enum weft_status session_create(void *ctx, const struct weft_tls_session_options *options,
	void **out, struct weft_error *err)
{
	(void)ctx;
	(void)options;
	(void)err;
	session = (struct session){ .len = 0 };
	*out = &session;
	return WEFT_OK;
}

static void session_destroy(void *s)
{
	(void)s;
}

/* One flight out, and a record back. */
static enum weft_status handshake(
	void *s, struct weft_span *in, struct weft_buffer *out, struct weft_error *err)
{
	(void)s;
	(void)err;
	if (!in->len) {
		weft_buffer_append(out, "hello", 5);
		return WEFT_AGAIN;
	}
	in->ptr += in->len;
	in->len = 0;
	return WEFT_OK;
}

static enum weft_status decrypt(void *state, struct weft_span *in, struct weft_span *plain,
	struct weft_buffer *out, struct weft_error *err)
{
	struct session *s = state;
	size_t n;

	(void)out;
	(void)err;
	if (s->taken)
		s->len = 0;
	s->taken = false;
	n = in->len < RECORD - s->len ? in->len : RECORD - s->len;
	memcpy(s->record + s->len, in->ptr, n);
	s->len += n;
	in->ptr += n;
	in->len -= n;
	if (s->len < RECORD)
		return WEFT_AGAIN;
	s->taken = true;
	*plain = (struct weft_span){ s->record, RECORD };
	return WEFT_OK;
}

/* A record is a letter and the plaintext; the first may have something before it, as a ticket. */
static enum weft_status encrypt(void *state, const struct weft_segment *segs, size_t count,
	struct weft_buffer *out, struct weft_error *err)
{
	struct session *s = state;

	(void)err;
	for (; s->ticket; s->ticket--)
		weft_buffer_append(out, "t", 1);
	weft_buffer_append(out, "r", 1);
	for (size_t i = 0; i < count; i++)
		weft_buffer_append(out, segs[i].ptr, segs[i].len);
	return WEFT_OK;
}

static void settle(void *state)
{
	((struct session *)state)->settled++;
}

static const struct weft_tls_ops tls_ops = {
	.size = sizeof(tls_ops),
	.settle = settle,
	.session_create = session_create,
	.session_destroy = session_destroy,
	.handshake = handshake,
	.decrypt = decrypt,
	.encrypt = encrypt,
};

/* ---- the transport below: one buffer for all, like the loop's ---- */

static struct {
	unsigned char shared[64];
	size_t len;  /* what the next read brings */
	size_t room; /* what is still taken */
	struct weft_buffer sent;
} ground;

static enum weft_status ok(struct weft_transport *t, struct weft_error *err)
{
	(void)t;
	(void)err;
	return WEFT_OK;
}

static enum weft_status ground_read(
	struct weft_transport *t, struct weft_span *got, struct weft_error *err)
{
	(void)t;
	(void)err;
	if (!ground.len)
		return WEFT_AGAIN;
	*got = (struct weft_span){ ground.shared, ground.len };
	ground.len = 0;
	return WEFT_OK;
}

static enum weft_status ground_write(struct weft_transport *t, const struct weft_segment *segs,
	size_t count, size_t *taken, struct weft_error *err)
{
	size_t n;

	(void)t;
	(void)err;
	*taken = 0;
	for (size_t i = 0; i < count; i++) {
		n = segs[i].len < ground.room ? segs[i].len : ground.room;
		weft_buffer_append(&ground.sent, segs[i].ptr, n);
		ground.room -= n;
		*taken += n;
		if (n < segs[i].len)
			return WEFT_AGAIN;
	}
	return WEFT_OK;
}

static size_t ground_pending(const struct weft_transport *t)
{
	(void)t;
	return 0;
}

static void ground_destroy(struct weft_transport *t)
{
	(void)t;
}

static const struct weft_transport_ops ground_ops = {
	.size = sizeof(ground_ops),
	.name = "ground",
	.advance = ok,
	.read = ground_read,
	.write = ground_write,
	.flush = ok,
	.pending = ground_pending,
	.destroy = ground_destroy,
};

static void arrives(const char *text)
{
	ground.len = strlen(text);
	memcpy(ground.shared, text, ground.len);
}

/* ---- the world ---- */

struct world {
	struct weft_context *ctx;
	struct weft_transport below, *tls;
};

static bool no_memory;

static void *resize(void *user, void *ptr, size_t old_len, size_t new_len)
{
	(void)user;
	return new_len && no_memory ? NULL
				    : weft_allocator_system.resize(NULL, ptr, old_len, new_len);
}

static const struct weft_allocator alloc = { .resize = resize };

static void open_world(struct world *w)
{
	const struct weft_context_options o = { .tls = "none", .allocator = &alloc };
	const struct weft_tls_session_options options = { .size = sizeof(options) };
	static struct weft_tls_ctx tls = { .ops = &tls_ops };

	*w = (struct world){ .below.ops = &ground_ops };
	ground.len = 0;
	ground.room = SIZE_MAX;
	weft_buffer_init(&ground.sent, &weft_allocator_system);
	assert_int_equal(weft_context_create(&o, &w->ctx, NULL), WEFT_OK);
	tls.refs = 1; /* the test's, for ever */
	assert_int_equal(weft_transport_tls_client(
				 w->ctx, &w->below, &tls, &options, NULL, NULL, &w->tls, NULL),
		WEFT_OK);
}

static void shake_hands(struct world *w)
{
	assert_int_equal(w->tls->ops->advance(w->tls, NULL), WEFT_AGAIN);
	arrives("hey!");
	assert_int_equal(w->tls->ops->advance(w->tls, NULL), WEFT_OK);
}

static void close_world(struct world *w)
{
	no_memory = false;
	weft_transport_destroy(w->tls);
	weft_buffer_finish(&ground.sent);
	weft_context_destroy(w->ctx, 0, NULL, NULL);
}

static void expect(struct world *w, const char *text)
{
	struct weft_span got = { NULL, 0 };

	assert_int_equal(w->tls->ops->read(w->tls, &got, NULL), WEFT_OK);
	assert_int_equal(got.len, strlen(text));
	assert_memory_equal(got.ptr, text, got.len);
}

static void what_was_not_read_yet_outlives_the_shared_buffer(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	shake_hands(&w);
	arrives("abcdefghij");
	expect(&w, "abcd");
	w.tls->ops->settle(w.tls);
	memset(ground.shared, 'x', sizeof(ground.shared));
	expect(&w, "efgh");
	arrives("klmn");
	expect(&w, "ijkl");
	close_world(&w);
}

/* Not in the midst of a handshake: there is nothing to give back, and no backend reckons with it. */
static void a_session_is_told_when_what_it_handed_out_is_used_up(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	w.tls->ops->settle(w.tls);
	assert_int_equal(w.tls->ops->advance(w.tls, NULL), WEFT_AGAIN);
	assert_int_equal(session.settled, 0);
	arrives("hey!");
	assert_int_equal(w.tls->ops->advance(w.tls, NULL), WEFT_OK);
	session.settled = 0;
	arrives("abcd");
	expect(&w, "abcd");
	assert_int_equal(session.settled, 0);
	w.tls->ops->settle(w.tls);
	assert_int_equal(session.settled, 1);
	close_world(&w);
}

static void no_memory_to_keep_it_fails_the_next_read(void **state)
{
	struct weft_span got = { NULL, 0 };
	struct world w;

	(void)state;
	open_world(&w);
	shake_hands(&w);
	arrives("abcdef");
	expect(&w, "abcd");
	no_memory = true;
	w.tls->ops->settle(w.tls);
	no_memory = false;
	arrives("XYgh");
	assert_int_equal(w.tls->ops->read(w.tls, &got, NULL), WEFT_ERR_MEMORY);
	assert_int_equal(w.tls->ops->read(w.tls, &got, NULL), WEFT_ERR_MEMORY);
	close_world(&w);
}

static void no_memory_for_a_handshake_s_output_fails_it(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	no_memory = true;
	assert_int_equal(w.tls->ops->advance(w.tls, NULL), WEFT_ERR_MEMORY);
	close_world(&w);
}

/* ---- the way out ---- */

enum { PLAIN = 100000 };

static unsigned char plain[PLAIN];

static void fill_plain(void)
{
	for (size_t i = 0; i < PLAIN; i++)
		plain[i] = (unsigned char)(i * 7 + i / 251);
}

/* Writes all of it, while the ground takes no more than piece bytes at once. */
static void write_out(struct world *w, size_t piece)
{
	struct weft_segment seg;
	size_t done = 0, taken;
	enum weft_status st = WEFT_AGAIN;

	weft_buffer_consume(&ground.sent, weft_buffer_len(&ground.sent));
	for (unsigned i = 0; st == WEFT_AGAIN && i < 2 * PLAIN; i++) {
		ground.room = piece;
		seg = weft_segment_borrowed(plain + done, PLAIN - done);
		st = w->tls->ops->write(w->tls, &seg, done < PLAIN, &taken, NULL);
		done += taken;
	}
	assert_int_equal(st, WEFT_OK);
	assert_int_equal(done, PLAIN);
	assert_int_equal(w->tls->ops->pending(w->tls), 0);
}

/* What was sent is the plaintext in records of 16384, behind so many bytes of a ticket. */
static void expect_records(size_t ticket)
{
	const unsigned char *at = weft_buffer_bytes(&ground.sent);
	size_t left = weft_buffer_len(&ground.sent), n;

	for (; ticket; ticket--, left--)
		assert_int_equal(*at++, 't');
	for (size_t done = 0; done < PLAIN; done += n) {
		n = PLAIN - done < 16384 ? PLAIN - done : 16384;
		assert_true(left >= n + 1);
		assert_int_equal(*at, 'r');
		assert_memory_equal(at + 1, plain + done, n);
		at += n + 1;
		left -= n + 1;
	}
	assert_int_equal(left, 0);
}

static unsigned blocks_in_use(const struct world *w)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < WEFT_BLOCK_CLASSES; i++)
		sum += w->ctx->memory.kept[i].used;
	return sum;
}

static void records_arrive_in_order_however_little_is_taken_at_once(void **state)
{
	static const size_t pieces[] = { SIZE_MAX, 70000, 16385, 16384, 1000, 99 };
	struct world w;

	(void)state;
	fill_plain();
	open_world(&w);
	shake_hands(&w);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		write_out(&w, pieces[i]);
		expect_records(0);
	}
	assert_int_equal(blocks_in_use(&w), 0);
	close_world(&w);
}

static void a_record_may_be_longer_than_its_block(void **state)
{
	struct world w;

	(void)state;
	fill_plain();
	open_world(&w);
	shake_hands(&w);
	session.ticket = 5000;
	write_out(&w, 20000);
	expect_records(5000);
	assert_int_equal(blocks_in_use(&w), 0);
	close_world(&w);
}

/* Blocks come from those at hand; what would have to be allocated is only what was not taken. */
static void sending_allocates_nothing_and_no_memory_for_the_rest_fails_it(void **state)
{
	const struct weft_segment seg = weft_segment_borrowed(plain, PLAIN);
	struct world w;
	size_t taken;

	(void)state;
	fill_plain();
	open_world(&w);
	shake_hands(&w);
	write_out(&w, SIZE_MAX);
	no_memory = true;
	write_out(&w, SIZE_MAX);
	expect_records(0);
	ground.room = 100;
	assert_int_equal(w.tls->ops->write(w.tls, &seg, 1, &taken, NULL), WEFT_ERR_MEMORY);
	assert_int_equal(w.tls->ops->flush(w.tls, NULL), WEFT_ERR_MEMORY);
	assert_int_equal(blocks_in_use(&w), 0);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_not_read_yet_outlives_the_shared_buffer),
		cmocka_unit_test(a_session_is_told_when_what_it_handed_out_is_used_up),
		cmocka_unit_test(no_memory_to_keep_it_fails_the_next_read),
		cmocka_unit_test(no_memory_for_a_handshake_s_output_fails_it),
		cmocka_unit_test(records_arrive_in_order_however_little_is_taken_at_once),
		cmocka_unit_test(a_record_may_be_longer_than_its_block),
		cmocka_unit_test(sending_allocates_nothing_and_no_memory_for_the_rest_fails_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
