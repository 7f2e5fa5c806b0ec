/* SPDX-License-Identifier: MIT */
/*
 * Files from a server to a client, over each loop and TLS backend, and in small reads: whole, in ranges, compressed
 * and decoded again; under the backpressure of one that does not read; and what the access hook tells of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/decode.h"
#include "tests/support/duo.h"

enum { BIG = 700000, SMALL_READS_BIG = 90000 };

static char root[] = P_tmpdir "/weft-e2e-files-XXXXXX";
static struct weft_files files = { .directory = root };
static const struct weft_route routes[] = {
	{ .prefix = "/", .on_request = weft_http_serve_files, .user = &files },
	{ .on_request = NULL },
};
static char big[BIG];

static size_t big_len(void)
{
	return duo_combo.fragment ? (size_t)SMALL_READS_BIG : (size_t)BIG;
}

static void make(const char *name, const void *bytes, size_t len)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void forget(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	assert_int_equal(unlink(path), 0);
}

static int make_tree(void **state)
{
	(void)state;
	strcpy(root + sizeof(root) - 7, "XXXXXX");
	assert_non_null(mkdtemp(root));
	for (size_t i = 0; i < BIG; i++)
		big[i] = (char)('a' + i * i / 11 % 19 % (i % 7 + 2));
	make("big.txt", big, big_len());
	make("page.html", "0123456789", 10);
	return 0;
}

static int remove_tree(void **state)
{
	(void)state;
	forget("big.txt");
	forget("page.html");
	return rmdir(root);
}

/* What a client got. */
struct got {
	unsigned status;
	char etag[128], coding[32], range[64], type[96];
	char *body;
	size_t len;
	bool stopped; /* takes nothing for now */
	unsigned closes;
	enum weft_status why;
};

static void copy(const struct weft_head *head, const char *name, char *out, size_t out_len)
{
	const struct weft_field *f = weft_head_find(head, name);

	snprintf(out, out_len, "%s", f ? f->value : "");
}

static void on_head(
	struct weft_stream *s, const struct weft_head *head, enum weft_head_kind kind, void *user)
{
	struct got *g = user;

	(void)s;
	assert_int_equal(kind, WEFT_HEAD_FINAL);
	g->status = head->status;
	copy(head, "etag", g->etag, sizeof(g->etag));
	copy(head, "content-encoding", g->coding, sizeof(g->coding));
	copy(head, "content-range", g->range, sizeof(g->range));
	copy(head, "content-type", g->type, sizeof(g->type));
}

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	struct got *g = user;

	(void)s;
	if (g->stopped)
		return 0;
	g->body = realloc(g->body, g->len + len + 1);
	assert_non_null(g->body);
	memcpy(g->body + g->len, bytes, len);
	g->len += len;
	g->body[g->len] = 0;
	return len;
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct got *g = user;

	(void)s;
	g->closes++;
	g->why = why->status;
}

static const struct weft_stream_ops ops = {
	.on_head = on_head, .on_data = on_data, .on_close = on_close
};

static struct weft_stream *begin(
	struct duo *d, struct got *g, const char *path, const char *name, const char *value)
{
	struct weft_field fields[] = { weft_field(name ? name : "x-none", value ? value : "") };
	struct weft_request r = { .fields = fields,
		.field_count = 1,
		.share = WEFT_SHARE_POOL,
		.trust = d->trust.ca.len ? &d->trust : NULL };
	struct weft_stream *s;
	struct weft_error err;
	char url[128];

	snprintf(url, sizeof(url), "%s%s", d->base, path);
	r.url = url;
	if (weft_http_open(d->client, &r, &ops, g, &s, &err))
		fail_msg("%s", err.text);
	return s;
}

static void get(struct duo *d, struct got *g, const char *path, const char *name, const char *value)
{
	*g = (struct got){ .body = NULL };
	begin(d, g, path, name, value);
	duo_until(d, g->closes);
	assert_int_equal(g->why, WEFT_OK);
}

static void open_duo(struct duo *d)
{
	const struct weft_vhost_options v = { .routes = routes };

	duo_open(d, NULL, NULL, &v, false);
}

static void files_come_whole_and_in_ranges(void **state)
{
	struct duo d;
	struct got g;
	char etag[128];

	(void)state;
	open_duo(&d);
	get(&d, &g, "/big.txt", NULL, NULL);
	assert_int_equal(g.status, 200);
	assert_int_equal(g.len, big_len());
	assert_memory_equal(g.body, big, g.len);
	strcpy(etag, g.etag);
	free(g.body);
	get(&d, &g, "/big.txt", "if-none-match", etag);
	assert_int_equal(g.status, 304);
	assert_int_equal(g.len, 0);
	assert_string_equal(g.etag, etag);
	get(&d, &g, "/big.txt", "range", "bytes=70000-");
	assert_int_equal(g.status, 206);
	assert_int_equal(g.len, big_len() - 70000);
	assert_memory_equal(g.body, big + 70000, g.len);
	free(g.body);
	get(&d, &g, "/page.html", "range", "bytes=-1");
	assert_string_equal(g.body, "9");
	free(g.body);
	/* all of it on one connection */
	assert_int_equal(duo_client_counts(&d).conns_opened, 1);
	duo_close(&d);
}

static void parts_come_in_order(void **state)
{
	struct duo d;
	struct got g;
	const char *at;

	(void)state;
	open_duo(&d);
	get(&d, &g, "/big.txt", "range", "bytes=80000-89999,0-69999");
	assert_int_equal(g.status, 206);
	assert_memory_equal(g.type, "multipart/byteranges; boundary=", 31);
	at = strstr(g.body, "\r\n\r\n");
	assert_non_null(at);
	assert_memory_equal(at + 4, big + 80000, 10000);
	at = strstr(at + 10004, "\r\n\r\n");
	assert_non_null(at);
	assert_memory_equal(at + 4, big, 70000);
	assert_memory_equal(at + 70004, "\r\n--", 4);
	assert_int_equal(g.len, (size_t)(at - g.body) + 70004 + 4 + strlen(g.type + 31) + 4);
	free(g.body);
	duo_close(&d);
}

static void check_coded(const char *accept, const char *coding)
{
	static char out[BIG];
	struct duo d;
	struct got g;

	open_duo(&d);
	get(&d, &g, "/big.txt", "accept-encoding", accept);
	assert_int_equal(g.status, 200);
	assert_string_equal(g.coding, coding);
	assert_in_range(g.len, 1, big_len() / 2);
	assert_true(test_decode(coding, g.body, g.len, out, big_len()));
	assert_memory_equal(out, big, big_len());
	free(g.body);
	duo_close(&d);
}

static void compressed_files_decode_to_the_same(void **state)
{
	(void)state;
	(void)check_coded;
#ifdef WEFT_WITH_GZIP
	check_coded("gzip", "gzip");
#endif
#ifdef WEFT_WITH_BROTLI
	check_coded("gzip, br", "br");
#endif
}

/* However large the file, what waits for a client that does not read is bounded. */
static void a_client_that_does_not_read_costs_little(void **state)
{
#ifdef WEFT_WITH_GZIP
	enum { HUGE_FILE = 12 << 20, TURNS = 2000 };
	char *noise = malloc(HUGE_FILE);
	struct weft_stream *s;
	struct duo d;
	struct got g = { .stopped = true };
	uint32_t x = 1;

	if (duo_combo.fragment) {
		free(noise);
		return; /* a byte at a time, it would take minutes */
	}
	assert_non_null(noise);
	/* hard to compress, so that much of it is to be sent */
	for (size_t i = 0; i < HUGE_FILE; i++)
		noise[i] = (char)((x = x * 1664525u + 1013904223u) >> 24);
	make("noise.txt", noise, HUGE_FILE);
	open_duo(&d);
	s = begin(&d, &g, "/noise.txt", "accept-encoding", "gzip");
	for (unsigned i = 0; i < TURNS; i++)
		duo_turn(&d);
	assert_int_equal(g.status, 200);
	assert_int_equal(g.closes, 0);
	assert_in_range(duo_server_counts(&d).heap_peak, 1, 3 << 20);
	g.stopped = false;
	weft_stream_resume(s);
	duo_until(&d, g.closes);
	assert_int_equal(g.why, WEFT_OK);
	assert_true(test_decode("gzip", g.body, g.len, noise, HUGE_FILE));
	x = 1;
	for (size_t i = 0; i < HUGE_FILE; i++) {
		if (noise[i] != (char)((x = x * 1664525u + 1013904223u) >> 24))
			fail_msg("byte %zu differs", i);
	}
	free(g.body);
	free(noise);
	duo_close(&d);
	forget("noise.txt");
#endif
	(void)state;
}

/* ---- the access hook ---- */

static struct {
	unsigned count;
	struct weft_access last;
	enum weft_status why;
} told;

static void on_access(struct weft_stream *s, const struct weft_access *a, void *user)
{
	(void)user;
	assert_non_null(weft_stream_request(s)->method);
	told.count++;
	told.last = *a;
	told.why = a->why->status;
}

static void the_hook_is_told_the_peer_and_what_was_sent(void **state)
{
	const struct weft_vhost_options v = { .routes = routes, .on_access = on_access };
	struct duo d;
	struct got g;

	(void)state;
	memset(&told, 0, sizeof(told));
	duo_open(&d, NULL, NULL, &v, false);
	for (unsigned i = 1; i <= 3; i++) {
		get(&d, &g, "/big.txt", NULL, NULL);
		free(g.body);
		duo_until(&d, told.count == i);
		assert_int_equal(told.last.status, 200);
		assert_int_equal(told.last.body_out, big_len());
		assert_int_equal(told.last.peer.family, WEFT_FAMILY_IPV4);
		assert_int_equal(told.last.peer.ip[0], 127);
		assert_true(told.last.peer.port > 0);
		assert_true(told.last.begun_wall > 1700000000);
		assert_in_range(told.last.duration_us, 1, 600000000);
		assert_int_equal(told.why, WEFT_OK);
	}
	/* a client that goes away in the middle: whatever was sent by then, it is told once */
	g = (struct got){ .stopped = true };
	begin(&d, &g, "/big.txt", NULL, NULL);
	duo_until(&d, g.status);
	weft_context_destroy(d.client, 0, NULL, NULL);
	d.client = NULL;
	duo_until(&d, told.count == 4);
	assert_true(told.last.body_out <= big_len());
	duo_close(&d);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			files_come_whole_and_in_ranges, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(parts_come_in_order, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(
			compressed_files_decode_to_the_same, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(
			a_client_that_does_not_read_costs_little, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(
			the_hook_is_told_the_peer_and_what_was_sent, make_tree, remove_tree),
	};

	return duo_main("files", tests, sizeof(tests) / sizeof(*tests), DUO_FEWER) +
	       duo_main("files", tests, sizeof(tests) / sizeof(*tests), DUO_PLAIN);
}
