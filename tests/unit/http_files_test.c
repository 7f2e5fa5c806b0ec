/* SPDX-License-Identifier: MIT */
/* The handler that serves files, over a real server and a connection in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "roles/http/beneath.h"
#include "weft/http.h"
#include "weft/plugin/transport.h"

enum { BIG = 300001, TURNS_MAX = 20000 };

static char top[] = P_tmpdir "/weft-files-XXXXXX";
static char root[sizeof(top) + 8];

static const char *const directories[] = { "root", "root/docs", "root/empty", "root/odd",
	"root/odd/index.html" };
static const struct {
	const char *name, *text;
} files[] = {
	{ "secret", "secret" },
	{ "root/index.html", "<p>top" },
	{ "root/a b.txt", "with a space" },
	{ "root/nothing.css", "" },
	{ "root/.hidden", "secret" },
	{ "root/docs/index.html", "<p>docs" },
	{ "root/docs/page.html", "<p>page" },
	{ "root/big.bin", NULL },
};
static const struct {
	const char *name, *to;
} links[] = { { "root/out.txt", "../secret" }, { "root/loop", "loop" } };

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	return path;
}

static char big_byte(size_t i)
{
	return (char)(i * 131 >> 5);
}

static void make_file(const char *name, const char *text)
{
	FILE *f = fopen(path_of(name), "w");

	assert_non_null(f);
	for (size_t i = 0; !text && i < BIG; i++)
		assert_int_not_equal(fputc(big_byte(i), f), EOF);
	if (text)
		assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int make_tree(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(top));
	snprintf(root, sizeof(root), "%s/root", top);
	for (size_t i = 0; i < sizeof(directories) / sizeof(*directories); i++)
		assert_int_equal(mkdir(path_of(directories[i]), 0700), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		make_file(files[i].name, files[i].text);
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		assert_int_equal(symlink(links[i].to, path_of(links[i].name)), 0);
	assert_int_equal(mkfifo(path_of("root/fifo"), 0600), 0);
	return 0;
}

static int remove_tree(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		unlink(path_of(files[i].name));
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		unlink(path_of(links[i].name));
	unlink(path_of("root/fifo"));
	for (size_t i = sizeof(directories) / sizeof(*directories); i--;)
		rmdir(path_of(directories[i]));
	return rmdir(top);
}

/* ---- one request on a connection of its own ---- */

struct answer {
	char *text; /* terminated */
	size_t len;
	const char *body;
	bool ended;
};

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

static void ready(void *user, unsigned events)
{
	(void)user;
	(void)events;
}

static void receive(struct answer *a, struct weft_transport *end)
{
	struct weft_span got = { NULL, 0 };
	enum weft_status st;

	while ((st = end->ops->read(end, &got, NULL)) == WEFT_OK && got.len) {
		a->text = realloc(a->text, a->len + got.len + 1);
		assert_non_null(a->text);
		memcpy(a->text + a->len, got.ptr, got.len);
		a->len += got.len;
		a->text[a->len] = 0;
	}
	a->ended = st != WEFT_OK && st != WEFT_AGAIN;
	assert_true(st >= 0);
}

static void send_text(struct weft_transport *end, const char *text)
{
	const struct weft_transport_owner owner = { .ready = ready };
	struct weft_segment seg = weft_segment_static(text, strlen(text));
	struct weft_error err;
	size_t taken;

	assert_int_equal(end->ops->start(end, &owner, &err), WEFT_OK);
	assert_int_equal(end->ops->write(end, &seg, 1, &taken, &err), WEFT_OK);
	assert_int_equal(taken, strlen(text));
}

static void ask(struct answer *a, const char *line)
{
	const struct weft_route routes[] = {
		{ .prefix = "/", .on_request = weft_http_files, .user = root },
		{ .path = NULL },
	};
	const struct weft_context_options options = {
		.event = "poll", .tls = "none", .log = no_log, .linger_ms = 50
	};
	const struct weft_vhost_options vhost = { .name = "a", .routes = routes };
	struct weft_transport *ends[2];
	struct weft_context *ctx;
	struct weft_vhost *vh;
	struct weft_error err;
	char text[4096];

	*a = (struct answer){ .text = NULL };
	snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", line);
	if (weft_context_create(&options, &ctx, &err) ||
		weft_vhost_create(ctx, &vhost, &vh, &err) ||
		weft_transport_memory_pair(ctx, 0, ends, &err) ||
		weft_transport_serve(vh, "http", ends[0], &err))
		fail_msg("%s", err.text);
	send_text(ends[1], text);
	for (int i = 0; i < TURNS_MAX && !a->ended; i++) {
		assert_true(weft_context_turn(ctx, 2) >= 0);
		receive(a, ends[1]);
	}
	assert_true(a->ended);
	weft_transport_destroy(ends[1]);
	weft_vhost_destroy(vh);
	weft_context_destroy(ctx, 0, NULL, NULL);
	a->body = strstr(a->text, "\r\n\r\n");
	assert_non_null(a->body);
	a->body += 4;
}

static void assert_status(const char *line, unsigned status)
{
	struct answer a;
	char start[32];

	ask(&a, line);
	snprintf(start, sizeof(start), "HTTP/1.1 %u ", status);
	if (strncmp(a.text, start, strlen(start)))
		fail_msg("%s: expected %u, got %.60s", line, status, a.text);
	assert_null(strstr(a.text, "secret"));
	free(a.text);
}

static void assert_field(const struct answer *a, const char *line)
{
	char text[128];
	const char *at;

	snprintf(text, sizeof(text), "\r\n%s\r\n", line);
	at = strstr(a->text, text);
	if (!at || at >= a->body)
		fail_msg("no \"%s\" in %s", line, a->text);
}

static void assert_file(const char *line, const char *type, const char *body)
{
	struct answer a;
	char field[96];

	ask(&a, line);
	if (strncmp(a.text, "HTTP/1.1 200 OK\r\n", 17))
		fail_msg("%s: %.60s", line, a.text);
	snprintf(field, sizeof(field), "content-type: %s", type);
	assert_field(&a, field);
	snprintf(field, sizeof(field), "content-length: %zu", strlen(body));
	assert_field(&a, field);
	assert_string_equal(a.body, strncmp(line, "HEAD ", 5) ? body : "");
	free(a.text);
}

/* ---- tests ---- */

static void files_come_with_type_and_length(void **state)
{
	static const char html[] = "text/html; charset=utf-8";
	static const char text[] = "text/plain; charset=utf-8";

	(void)state;
	assert_file("GET /docs/page.html", html, "<p>page");
	assert_file("GET /docs/page.html?x=../..", html, "<p>page");
	assert_file("GET /%64ocs/%70age.html", html, "<p>page");
	assert_file("GET /a%20b.txt", text, "with a space");
	assert_file("GET http://a/a%20b.txt", text, "with a space");
	assert_file("GET /nothing.css", "text/css; charset=utf-8", "");
	assert_file("HEAD /docs/page.html", html, "<p>page");
	assert_file("HEAD /nothing.css", "text/css; charset=utf-8", "");
}

static void index_stands_for_its_directory(void **state)
{
	static const char html[] = "text/html; charset=utf-8";

	(void)state;
	assert_file("GET /", html, "<p>top");
	assert_file("GET http://a", html, "<p>top");
	assert_file("GET /docs/", html, "<p>docs");
	assert_file("GET /docs/?x", html, "<p>docs");
	assert_file("HEAD /docs/", html, "<p>docs");
	assert_status("GET /empty/", 404);
	assert_status("GET /odd/", 404); /* its index.html is a directory */
}

static void directories_redirect_to_their_slash(void **state)
{
	struct answer a;

	(void)state;
	ask(&a, "GET /docs");
	assert_memory_equal(a.text, "HTTP/1.1 301 Moved Permanently\r\n", 32);
	assert_field(&a, "location: /docs/");
	assert_field(&a, "content-length: 0");
	assert_string_equal(a.body, "");
	free(a.text);
	/* the target stays as it was written, and the query goes along */
	ask(&a, "HEAD /%64ocs?a/b?c");
	assert_memory_equal(a.text, "HTTP/1.1 301 ", 13);
	assert_field(&a, "location: /%64ocs/?a/b?c");
	free(a.text);
	assert_status("GET /odd/index.html", 301);
}

static void last_modified_is_the_files(void **state)
{
	char field[64] = "last-modified: ";
	struct answer a;
	struct stat st;

	(void)state;
	assert_int_equal(stat(path_of("root/index.html"), &st), 0);
	weft_http_date(st.st_mtime, field + strlen(field));
	ask(&a, "GET /");
	assert_field(&a, field);
	free(a.text);
}

static void what_may_not_be_seen_is_refused(void **state)
{
	(void)state;
	assert_status("GET /missing", 404);
	assert_status("GET /missing/", 404);
	assert_status("GET /docs/page.html/", 404);
	assert_status("GET /docs/page.html/more", 404);
	assert_status("GET /.hidden", 404);
	assert_status("GET /%2ehidden", 404);
	assert_status("GET /..", 404);
	assert_status("GET /../secret", 404);
	assert_status("GET /%2e%2e/secret", 404);
	assert_status("GET /..%2fsecret", 404);
	assert_status("GET /docs/../../secret", 404);
	assert_status("GET //docs/", 404);
	assert_status("GET /docs//page.html", 404);
	assert_status("GET /a%00", 404);
	assert_status("GET /a%", 404);
	assert_status("GET /out.txt", 403);
	assert_status("GET /loop", 403);
	assert_status("GET /fifo", 403);
	assert_status("GET /fifo/", 404);
}

static void paths_of_any_length_get_an_answer(void **state)
{
	static const size_t lengths[] = { 254, 255, 256, 257, 2034, 2035, 2046, 2047, 2048, 2049,
		3000 };
	char line[3100];

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		memcpy(line, "GET /", 5);
		memset(line + 5, 'p', lengths[i]);
		line[4 + lengths[i]] = 0;
		assert_status(line, 404);
		line[3 + lengths[i]] = '/';
		assert_status(line, 404);
	}
	/* a directory, whose redirect fits just so, and then does not */
	snprintf(line, sizeof(line), "GET /docs?%02042d", 0);
	assert_status(line, 301);
	snprintf(line, sizeof(line), "GET /docs?%02043d", 0);
	assert_status(line, 404);
}

static void other_methods_are_not_allowed(void **state)
{
	static const char *const lines[] = { "POST /", "DELETE /docs/page.html", "get /",
		"OPTIONS /", "PUT /new" };
	struct answer a;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		assert_status(lines[i], 405);
	assert_status("OPTIONS *", 404); /* no route of the server's is meant */
	ask(&a, "POST /docs/");
	assert_field(&a, "allow: GET, HEAD");
	free(a.text);
	assert_int_equal(access(path_of("root/docs/page.html"), F_OK), 0);
	assert_int_not_equal(access(path_of("root/new"), F_OK), 0);
}

static void large_files_come_whole(void **state)
{
	struct answer a;

	(void)state;
	ask(&a, "GET /big.bin");
	assert_field(&a, "content-type: application/octet-stream");
	assert_int_equal(a.len - (size_t)(a.body - a.text), BIG);
	for (size_t i = 0; i < BIG; i++) {
		if (a.body[i] != big_byte(i))
			fail_msg("byte %zu differs", i);
	}
	free(a.text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_come_with_type_and_length),
		cmocka_unit_test(index_stands_for_its_directory),
		cmocka_unit_test(directories_redirect_to_their_slash),
		cmocka_unit_test(last_modified_is_the_files),
		cmocka_unit_test(what_may_not_be_seen_is_refused),
		cmocka_unit_test(paths_of_any_length_get_an_answer),
		cmocka_unit_test(other_methods_are_not_allowed),
		cmocka_unit_test(large_files_come_whole),
	};

	return cmocka_run_group_tests_name("http files", tests, make_tree, remove_tree);
}
