/* SPDX-License-Identifier: MIT */
/*
 * The Nth allocation of ours fails, for each N of a compressed answer, of one in parts and of a listing: the stream
 * ends well or with an error, once, what came whole is right, and nothing is left.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/decode.h"
#include "tests/support/duo.h"

enum { SIZE = 100000 };

static char root[] = P_tmpdir "/weft-files-memory-XXXXXX";
static struct weft_files files = { .directory = root, .listing = true };
static char content[SIZE];

static struct {
	unsigned count, fails_at;
	long live;
} heap;

static void *failing_resize(void *user, void *ptr, size_t old_len, size_t new_len)
{
	void *p;

	(void)user;
	if (new_len && ++heap.count == heap.fails_at)
		return NULL;
	p = weft_allocator_system.resize(NULL, ptr, old_len, new_len);
	if (p || !new_len)
		heap.live += (long)new_len - (long)old_len;
	return p;
}

static const struct weft_allocator failing = { .resize = failing_resize };

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

struct run {
	const char *path, *name, *value;
	unsigned status, closes;
	char coding[16];
	char body[2 * SIZE];
	size_t len;
	enum weft_status why;
};

static void on_head(
	struct weft_stream *s, const struct weft_head *head, enum weft_head_kind kind, void *user)
{
	const struct weft_field *coding = weft_head_find(head, "content-encoding");
	struct run *r = user;

	(void)s;
	(void)kind;
	r->status = head->status;
	snprintf(r->coding, sizeof(r->coding), "%s", coding ? coding->value : "");
}

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	struct run *r = user;

	(void)s;
	assert_true(r->len + len <= sizeof(r->body));
	memcpy(r->body + r->len, bytes, len);
	r->len += len;
	return len;
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct run *r = user;

	(void)s;
	r->closes++;
	r->why = why->status;
}

static void on_access(struct weft_stream *s, const struct weft_access *access, void *user)
{
	(void)user;
	/* so that its table takes memory as well */
	assert_true(weft_stream_id(s) > 0);
	assert_non_null(access->why);
}

static bool open_all(struct weft_context **server, struct weft_context **client, char *url)
{
	static const struct weft_route routes[] = {
		{ .prefix = "/", .on_request = weft_http_serve_files, .user = &files },
		{ .on_request = NULL },
	};
	const struct weft_vhost_options v = { .name = "localhost",
		.routes = routes,
		.on_access = on_access,
		.listen = "http://127.0.0.1:0" };
	struct weft_context_options o = { .event = duo_combo.server_event,
		.tls = "none",
		.allocator = &failing,
		.log = no_log,
		.linger_ms = 1,
		.no_keep_warm = true };
	struct weft_error err;
	struct weft_vhost *vh;

	/* the client's memory never fails: only the server is looked at */
	if (weft_context_create(&o, server, &err))
		return false;
	o.event = duo_combo.event;
	o.allocator = NULL;
	assert_int_equal(weft_context_create(&o, client, &err), WEFT_OK);
	return weft_vhost_create(*server, &v, &vh, &err) == WEFT_OK &&
	       weft_vhost_listener(vh, 0, url, 64) == WEFT_OK;
}

static void check(const struct run *r)
{
	static char out[SIZE];

	assert_int_equal(r->closes, 1);
	if (r->why != WEFT_OK || r->status >= 500)
		return;
	if (!strcmp(r->name, "accept-encoding") && !strcmp(r->path, "/page.html")) {
		assert_int_equal(r->status, 200);
		if (r->coding[0])
			assert_true(test_decode(r->coding, r->body, r->len, out, SIZE));
		else
			assert_int_equal(r->len, SIZE);
		assert_memory_equal(r->coding[0] ? out : r->body, content, SIZE);
	} else if (!strcmp(r->name, "range")) {
		assert_int_equal(r->status, 206);
		assert_in_range(r->len, 70000, 71000);
	} else {
		assert_int_equal(r->status, 200);
		assert_non_null(strstr(r->body, "page.html"));
	}
}

static void run_once(struct run *r)
{
	static const struct weft_stream_ops ops = {
		.on_head = on_head, .on_data = on_data, .on_close = on_close
	};
	struct weft_context *server = NULL, *client = NULL;
	struct weft_request req = { .field_count = 1, .total_ms = 2000 };
	struct weft_field field = weft_field(r->name, r->value);
	struct weft_stream *s;
	struct weft_error err;
	char url[64];

	r->status = r->closes = 0;
	r->len = 0;
	if (open_all(&server, &client, url)) {
		strcat(url, r->path);
		req.url = url;
		req.fields = &field;
		assert_int_equal(weft_http_open(client, &req, &ops, r, &s, &err), WEFT_OK);
		for (unsigned i = 0; i < DUO_TURNS && !r->closes; i++) {
			assert_int_not_equal(weft_context_turn(server, 0), WEFT_EOF);
			assert_int_not_equal(weft_context_turn(client, i % 16 ? 0 : 1), WEFT_EOF);
		}
		check(r);
	}
	weft_context_destroy(client, 0, NULL, NULL);
	weft_context_destroy(server, 0, NULL, NULL);
	assert_int_equal(heap.live, 0);
}

static void fail_each(const char *path, const char *name, const char *value)
{
	static struct run r;
	unsigned total;

	r = (struct run){ .path = path, .name = name, .value = value };
	memset(&heap, 0, sizeof(heap));
	run_once(&r);
	assert_int_equal(r.closes, 1);
	assert_int_equal(r.why, WEFT_OK);
	total = heap.count;
	assert_in_range(total, 15, 3000);
	for (unsigned n = 1; n <= total; n++) {
		memset(&heap, 0, sizeof(heap));
		heap.fails_at = n;
		run_once(&r);
	}
}

static void every_allocation_of_a_compressed_answer_may_fail(void **state)
{
	(void)state;
	fail_each("/page.html", "accept-encoding", "gzip");
	fail_each("/page.html", "accept-encoding", "br");
}

static void every_allocation_of_an_answer_in_parts_may_fail(void **state)
{
	(void)state;
	fail_each("/page.html", "range", "bytes=20000-89999,0-9");
}

static void every_allocation_of_a_listing_may_fail(void **state)
{
	(void)state;
	fail_each("/", "accept-encoding", "gzip");
}

static int make_tree(void **state)
{
	char path[256];
	FILE *f;

	(void)state;
	strcpy(root + sizeof(root) - 7, "XXXXXX");
	assert_non_null(mkdtemp(root));
	for (size_t i = 0; i < SIZE; i++)
		content[i] = (char)('a' + i * i / 11 % 19 % (i % 7 + 2));
	snprintf(path, sizeof(path), "%s/page.html", root);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(content, 1, SIZE, f), SIZE);
	return fclose(f);
}

static int remove_tree(void **state)
{
	char path[256];

	(void)state;
	snprintf(path, sizeof(path), "%s/page.html", root);
	unlink(path);
	return rmdir(root);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			every_allocation_of_a_compressed_answer_may_fail, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(
			every_allocation_of_an_answer_in_parts_may_fail, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(
			every_allocation_of_a_listing_may_fail, make_tree, remove_tree),
	};

	return duo_main("files memory", tests, sizeof(tests) / sizeof(*tests), DUO_PLAIN);
}
