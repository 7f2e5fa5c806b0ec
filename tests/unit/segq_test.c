/* SPDX-License-Identifier: MIT */
/* Queues of segments: order, references, and memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/segq.h"

struct held {
	struct weft_owner owner;
	int refs;
};

static size_t segments(const struct weft_segq *q)
{
	struct weft_segment segs[128];
	size_t count = 128;

	weft_segq_peek(q, SIZE_MAX, segs, &count);
	return count;
}

static void ref(struct weft_owner *owner)
{
	((struct held *)owner)->refs++;
}

static void release(struct weft_owner *owner)
{
	((struct held *)owner)->refs--;
}

static struct held make_held(void)
{
	return (struct held){ .owner = { ref, release } };
}

/* Takes len bytes off the front, which must be these. */
static void expect(struct weft_segq *q, const char *text, size_t len)
{
	while (len) {
		struct weft_segment segs[3];
		size_t count = 3, sum = weft_segq_peek(q, len, segs, &count);

		assert_true(sum > 0 && sum <= len);
		for (size_t i = 0; i < count; i++) {
			assert_memory_equal(segs[i].ptr, text, segs[i].len);
			text += segs[i].len;
		}
		weft_segq_consume(q, sum);
		len -= sum;
	}
}

static void keeps_order(void **state)
{
	static const char big[] = "0123456789";
	char borrowed[] = "borrowed";
	struct held held = make_held();
	struct weft_segment seg = weft_segment_static(big, 10);
	struct weft_segment lent = weft_segment_borrowed(borrowed, 8);
	struct weft_memory memory;
	struct weft_segq q;

	(void)state;
	weft_memory_init(&memory, &weft_allocator_system, 0);
	weft_segq_init(&q, &memory);
	seg.owner = &held.owner;
	assert_true(weft_segq_write(&q, "head ", 5));
	assert_true(weft_segq_push(&q, &seg, false));
	assert_int_equal(held.refs, 1);
	assert_true(weft_segq_push(&q, &lent, false));
	memset(borrowed, 0, sizeof(borrowed));
	assert_true(weft_segq_push(&q, &seg, true)); /* short: copied */
	assert_int_equal(held.refs, 1);
	assert_true(weft_segq_write(&q, " tail", 5));
	seg.len = 0;
	assert_true(weft_segq_push(&q, &seg, false));
	assert_int_equal(q.len, 38);
	assert_int_equal(segments(&q), 3);
	expect(&q, "head 01", 7);
	assert_int_equal(held.refs, 1);
	expect(&q, "23456789", 8);
	assert_int_equal(held.refs, 0);
	expect(&q, "borrowed0123456789 tail", 23);
	assert_int_equal(q.len, 0);
	assert_null(q.ring); /* an empty queue holds nothing */
	weft_segq_finish(&q);
	weft_memory_finish(&memory);
	assert_int_equal(memory.now, 0);
}

static void peeks_no_further_than_asked(void **state)
{
	struct weft_segment segs[2],
		file = { .kind = WEFT_SEGMENT_FILE, .fd = 7, .off = 100, .len = 1000 };
	struct weft_memory memory;
	struct weft_segq q;
	size_t count = 2;

	(void)state;
	weft_memory_init(&memory, &weft_allocator_system, 0);
	weft_segq_init(&q, &memory);
	assert_int_equal(weft_segq_peek(&q, 10, segs, &count), 0);
	assert_int_equal(count, 0);
	assert_true(weft_segq_write(&q, "abc", 3));
	assert_true(weft_segq_push(&q, &file, true));
	count = 2;
	assert_int_equal(weft_segq_peek(&q, 2, segs, &count), 2);
	assert_int_equal(count, 1);
	assert_false(weft_segq_owned(&segs[0]));
	count = 2;
	assert_int_equal(weft_segq_peek(&q, 10, segs, &count), 10);
	assert_int_equal(count, 2);
	assert_int_equal(segs[1].len, 7);
	assert_true(weft_segq_owned(&segs[1]));
	count = 1;
	assert_int_equal(weft_segq_peek(&q, 10, segs, &count), 3);
	weft_segq_consume(&q, 53);
	count = 2;
	assert_int_equal(weft_segq_peek(&q, SIZE_MAX, segs, &count), 950);
	assert_int_equal(segs[0].fd, 7);
	assert_int_equal(segs[0].off, 150);
	weft_segq_finish(&q);
	weft_memory_finish(&memory);
	assert_int_equal(memory.now, 0);
}

static void moves_as_a_whole(void **state)
{
	struct held held = make_held();
	struct weft_segment seg = weft_segment_static("owned", 5);
	struct weft_memory memory;
	struct weft_segq a, b;

	(void)state;
	weft_memory_init(&memory, &weft_allocator_system, 0);
	weft_segq_init(&a, &memory);
	weft_segq_init(&b, &memory);
	seg.owner = &held.owner;
	for (int i = 0; i < 10; i++) {
		assert_true(weft_segq_push(&a, &seg, false));
		assert_true(weft_segq_write(&a, "-", 1));
	}
	assert_int_equal(held.refs, 10);
	weft_segq_move(&b, &a);
	assert_int_equal(a.len, 0);
	assert_true(weft_segq_write(&a, "new", 3));
	assert_true(weft_segq_write(&b, "more", 4));
	expect(&b, "owned-owned-", 12);
	assert_int_equal(b.len, 52);
	expect(&a, "new", 3);
	weft_segq_finish(&b);
	assert_int_equal(held.refs, 0);
	weft_segq_finish(&a);
	weft_memory_finish(&memory);
	assert_int_equal(memory.now, 0);
}

/* Random writes and reads against a plain run of bytes. */
static void agrees_with_a_model(void **state)
{
	enum { ALL = 400000 };
	static char bytes[ALL];
	struct weft_memory memory;
	struct weft_segq q;
	size_t in = 0, out = 0;
	unsigned seed = 7;

	(void)state;
	for (size_t i = 0; i < ALL; i++)
		bytes[i] = (char)(i * 2654435761u >> 13);
	weft_memory_init(&memory, &weft_allocator_system, 0);
	weft_segq_init(&q, &memory);
	while (out < ALL) {
		size_t n = (seed = seed * 1103515245u + 12345u) >> 18;
		struct weft_segment seg;

		n = n % (seed >> 8 & 1 ? 3000 : 90);
		if (n > ALL - in)
			n = ALL - in;
		seg = weft_segment_static(bytes + in, n);
		if (seed >> 9 & 1)
			assert_true(weft_segq_push(&q, &seg, seed >> 10 & 1));
		else
			assert_true(weft_segq_write(&q, bytes + in, n));
		in += n;
		n = ((seed >> 11) % 3000) % (q.len + 1);
		if (in == ALL)
			n = q.len;
		expect(&q, bytes + out, n);
		out += n;
		assert_int_equal(q.len, in - out);
	}
	weft_segq_finish(&q);
	weft_memory_finish(&memory);
	assert_int_equal(memory.now, 0);
}

static void no_memory_is_told(void **state)
{
	static char big[20000];
	struct held held = make_held();
	struct weft_segment seg = weft_segment_static(big, sizeof(big));
	struct weft_memory memory;
	struct weft_segq q;

	(void)state;
	weft_memory_init(&memory, &weft_allocator_system, 2000);
	weft_segq_init(&q, &memory);
	seg.owner = &held.owner;
	assert_false(weft_segq_write(&q, big, sizeof(big)));
	while (weft_segq_push(&q, &seg, false)) {
	}
	assert_true(held.refs > 1);
	assert_int_equal(held.refs, (int)segments(&q));
	weft_segq_finish(&q);
	assert_int_equal(held.refs, 0);
	weft_memory_finish(&memory);
	assert_int_equal(memory.now, 0);
}

/* The pieces are full but for the last, and together they are what the segments are. */
static void gathering_fills_pieces(void **state)
{
	enum { BYTES = 300, COUNT = 12, MAX = 40 };
	unsigned char bytes[BYTES], room[MAX];
	struct weft_segment segs[COUNT];
	unsigned seed = 7;

	(void)state;
	for (size_t i = 0; i < BYTES; i++)
		bytes[i] = (unsigned char)(i * 7);
	for (int round = 0; round < 2000; round++) {
		struct weft_gather gather = { .segs = segs };
		struct weft_span piece;
		size_t sum = 0, seen = 0;

		for (size_t i = 0; i < COUNT; i++, gather.count++) {
			size_t len = (seed = seed * 1103515245u + 12345u) >> 16 & 63;

			if (len > BYTES - sum)
				break;
			segs[i] = weft_segment_static(bytes + sum, len % 5 ? len : 0);
			sum += segs[i].len;
		}
		while ((piece = weft_gather_next(&gather, room, MAX)).len) {
			assert_true(piece.len == MAX || seen + piece.len == sum);
			assert_memory_equal(piece.ptr, bytes + seen, piece.len);
			/* what is whole already is not copied */
			if (piece.ptr != room)
				assert_ptr_equal(piece.ptr, bytes + seen);
			seen += piece.len;
		}
		assert_int_equal(seen, sum);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_order),
		cmocka_unit_test(peeks_no_further_than_asked),
		cmocka_unit_test(moves_as_a_whole),
		cmocka_unit_test(agrees_with_a_model),
		cmocka_unit_test(no_memory_is_told),
		cmocka_unit_test(gathering_fills_pieces),
	};

	return cmocka_run_group_tests_name("segq", tests, NULL, NULL);
}
