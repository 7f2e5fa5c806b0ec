/* SPDX-License-Identifier: MIT */
/* What a policy says of bytes: of one stream that are written, or received, and of all streams of a name. */
#include <string.h>

#include "tests/support/named.h"

static const char bytes[200000];

static size_t take_nothing(struct weft_stream *s, const void *data, size_t len, void *user)
{
	(void)s;
	(void)data;
	(void)len;
	(void)user;
	return 0;
}

struct writer {
	struct weft_stream *stream;
	unsigned told, closes;
	size_t written;
};

static void on_writable(struct weft_stream *s, void *user)
{
	struct writer *w = user;

	w->told++;
	w->written += weft_stream_write(s, bytes, 60000);
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)why;
	((struct writer *)user)->closes++;
}

static const struct weft_stream_ops ops = {
	.on_data = take_nothing,
	.on_writable = on_writable,
	.on_close = on_close,
};

static void open_writer(struct play *p, struct writer *w, const char *name)
{
	const struct weft_policy_body body = { .later = true };
	struct weft_error err;

	*w = (struct writer){ .stream = NULL };
	if (weft_policy_open(p->d.client, name, NULL, &body, &ops, w, &w->stream, &err))
		fail_msg("%s", err.text);
}

static struct tables *tables_of(struct play *p)
{
	struct tables *t = tables_make("limits");
	struct weft_policy_trust *trust = tables_trust_of(t, "store", test_certs_ca());

	tables_stream(t, "a", "h1", p->port, trust);
	tables_stream(t, "b", "h1", p->port, trust);
	return t;
}

static void a_write_takes_no_more_than_the_policy_lets_it(void **state)
{
	struct tables *t;
	struct writer a, b;
	struct play p;

	(void)state;
	play_open(&p, NULL, NULL);
	t = tables_of(&p);
	t->streams[0].write_high_bytes = 1000;
	play_use(&p, tables_static(t));
	open_writer(&p, &a, "a");
	open_writer(&p, &b, "b");
	assert_int_equal(weft_stream_write(a.stream, bytes, 5000), 1000);
	assert_int_equal(weft_stream_room(a.stream), 0);
	assert_int_equal(weft_stream_write(b.stream, bytes, 5000), 5000);
	weft_stream_close(a.stream);
	weft_stream_close(b.stream);
	play_until(&p, a.closes && b.closes);
	play_close(&p);
	tables_free(t);
}

/* What the application does not take is not read on and on. */
static void no_more_arrives_than_the_policy_lets_in(void **state)
{
	static char answer[3000];
	struct script_line *line;
	struct tables *t;
	struct writer a;
	struct play p;
	uint64_t in[2];

	(void)state;
	memset(answer, 'x', sizeof(answer) - 1);
	for (unsigned i = 0; i < 2; i++) {
		play_open(&p, &(struct weft_context_options){ .fragment_bytes = 500 }, NULL);
		t = tables_of(&p);
		t->streams[0].window_bytes = i ? 1000 : 0;
		play_use(&p, tables_static(t));
		open_writer(&p, &a, "a");
		weft_stream_finish(a.stream);
		line = play_asked(&p);
		script_say(line, "HTTP/1.1 200 OK\r\nContent-Length: 2999\r\n\r\n");
		script_say(line, answer);
		play_idle(&p);
		play_idle(&p);
		in[i] = duo_client_counts(&p.d).bytes_in;
		weft_stream_close(a.stream);
		play_until(&p, a.closes);
		play_close(&p);
		tables_free(t);
	}
	assert_int_equal(in[0], 2999);
	assert_in_range(in[1], 1000, 2000);
}

static void streams_of_a_name_are_bounded_together(void **state)
{
	struct writer a[3], other;
	struct tables *t;
	struct play p;

	(void)state;
	play_open(&p, &(struct weft_context_options){ .max_conns = 1 }, NULL);
	t = tables_of(&p);
	t->streams[0].max_in_flight_bytes = 100000;
	play_use(&p, tables_static(t));
	for (unsigned i = 0; i < 3; i++)
		open_writer(&p, &a[i], "a");
	open_writer(&p, &other, "b");
	assert_int_equal(weft_stream_write(a[0].stream, bytes, 60000), 60000);
	assert_int_equal(weft_stream_write(a[1].stream, bytes, 60000), 40000);
	assert_int_equal(weft_stream_write(a[2].stream, bytes, 60000), 0);
	assert_int_equal(weft_stream_room(a[2].stream), 0);
	/* another name is not concerned */
	assert_int_equal(weft_stream_write(other.stream, bytes, 60000), 60000);
	/* one that ends gives its bytes back, and those that wait are asked, the first one first */
	weft_stream_close(a[0].stream);
	play_until(&p, a[0].closes && a[1].told && a[2].told);
	assert_true(a[1].written > 0);
	assert_true(a[1].written + 40000 + a[2].written <= 100000);
	for (unsigned i = 1; i < 3; i++)
		weft_stream_close(a[i].stream);
	weft_stream_close(other.stream);
	play_until(&p, a[1].closes && a[2].closes && other.closes);
	/* nothing is left that would bound the next */
	open_writer(&p, &a[0], "a");
	assert_int_equal(weft_stream_room(a[0].stream), 65536);
	weft_stream_close(a[0].stream);
	play_until(&p, a[0].closes);
	play_close(&p);
	tables_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_write_takes_no_more_than_the_policy_lets_it),
		cmocka_unit_test(no_more_arrives_than_the_policy_lets_in),
		cmocka_unit_test(streams_of_a_name_are_bounded_together),
	};
	int failed = duo_main("policy_limits", tests, sizeof(tests) / sizeof(tests[0]), DUO_TLS);

	test_certs_free();
	return failed;
}
