/* SPDX-License-Identifier: MIT */
/* The handler of struct weft_files: validators, ranges, codings, caches, listings, and what stays hidden. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/decode.h"
#include "tests/support/served.h"

enum { BIG = 300000 };

static char top[] = P_tmpdir "/weft-serve-XXXXXX";
static char root[sizeof(top) + 8];
static struct weft_files files;
static struct weft_route routes[] = {
	{ .prefix = "/", .on_request = weft_http_serve_files, .user = &files },
	{ .on_request = NULL },
};
static const struct weft_vhost_options vhost = { .name = "a", .routes = routes };

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

/* In the past, so that its second is over; offset_s moves it. */
static void set_time(const char *name, long offset_s)
{
	const struct timespec times[2] = { { .tv_sec = 1636538400 + offset_s },
		{ .tv_sec = 1636538400 + offset_s, .tv_nsec = 123456789 } };

	assert_int_equal(utimensat(AT_FDCWD, path_of(name), times, 0), 0);
}

static void make(const char *name, const void *bytes, size_t len)
{
	FILE *f = fopen(path_of(name), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	set_time(name, 0);
}

static char big[BIG];

static int make_tree(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(top));
	snprintf(root, sizeof(root), "%s/root", top);
	assert_int_equal(mkdir(root, 0700), 0);
	assert_int_equal(mkdir(path_of("docs"), 0700), 0);
	assert_int_equal(mkdir(path_of("list"), 0700), 0);
	assert_int_equal(mkdir(path_of("list/<sub>"), 0700), 0);
	for (size_t i = 0; i < BIG; i++)
		big[i] = (char)('a' + i * i / 7 % 23 % (i % 5 + 3));
	make("../secret", "secret", 6);
	make("page.html", "0123456789", 10);
	make("docs/index.html", "index", 5);
	make("docs/start.htm", "start", 5);
	make("empty.txt", "", 0);
	make("big.txt", big, BIG);
	make("big.bin", big, BIG);
	make("photo.png", big, 5000);
	make("tiny.txt", big, 100);
	make("list/b&.txt", "bb", 2);
	make("list/a\"'%.txt", "a", 1);
	make("list/.hidden", "secret", 6);
	assert_int_equal(mkfifo(path_of("list/pipe"), 0600), 0);
	return 0;
}

static int remove_tree(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", top);
	return system(command);
}

static int fresh(void **state)
{
	(void)state;
	files = (struct weft_files){ .directory = root };
	return 0;
}

static unsigned open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* One request with these further lines ("Name: value\r\n"...). No descriptor stays behind. */
static unsigned ask(struct served *v, const char *method, const char *target, const char *lines)
{
	unsigned fds = open_fds();
	char request[2048];
	unsigned status;

	snprintf(request, sizeof(request),
		"%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n", method, target, lines);
	served_ask(v, &vhost, request);
	status = served_status(v);
	assert_null(strstr(v->text, "secret"));
	weft_transport_destroy(v->end);
	weft_vhost_destroy(v->vh);
	weft_context_destroy(v->ctx, 0, NULL, NULL);
	assert_int_equal(open_fds(), fds);
	return status;
}

static const char *field(const struct served *v, const char *name)
{
	static char value[512];

	return served_field(v, name, value, sizeof(value));
}

static size_t body_len(const struct served *v)
{
	return v->len - (size_t)(served_body(v) - v->text);
}

#define END(v) free((v).text)

/* The chunked body put together in place; its length. */
static size_t unchunk(struct served *v)
{
	char *from = (char *)(size_t)served_body(v), *to = from, *begin = from;
	char *end = v->text + v->len;

	for (;;) {
		size_t n = strtoul(from, &from, 16);

		assert_memory_equal(from, "\r\n", 2);
		from += 2;
		if (!n)
			break;
		assert_true(n + 2 <= (size_t)(end - from));
		memmove(to, from, n);
		to += n;
		from += n + 2;
	}
	assert_ptr_equal(from + 2, end);
	return (size_t)(to - begin);
}

/* ---- validators ---- */

static void etag_of(const char *target, const char *lines, char out[128])
{
	struct served v;

	assert_int_equal(ask(&v, "GET", target, lines), 200);
	served_field(&v, "etag", out, 128);
	assert_true(strlen(out) > 4);
	END(v);
}

static void a_tag_changes_with_the_file_alone(void **state)
{
	char a[128], b[128];

	(void)state;
	etag_of("/page.html", "", a);
	assert_int_equal(a[0], '"'); /* strong */
	etag_of("/page.html", "", b);
	assert_string_equal(a, b);
	make("page.html", "012345678", 9);
	etag_of("/page.html", "", b);
	assert_string_not_equal(a, b);
	make("page.html", "0123456789", 10);
	set_time("page.html", 1);
	etag_of("/page.html", "", b);
	assert_string_not_equal(a, b);
	set_time("page.html", 0);
}

static void conditions_are_answered(void **state)
{
	char etag[128], lines[256];
	struct served v;

	(void)state;
	etag_of("/page.html", "", etag);
	snprintf(lines, sizeof(lines), "If-None-Match: \"x\", W/%s\r\n", etag);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ask(&v, i ? "HEAD" : "GET", "/page.html", lines), 304);
		assert_string_equal(field(&v, "etag"), etag);
		assert_string_equal(field(&v, "content-type"), "");
		assert_string_equal(served_body(&v), "");
		END(v);
	}
	snprintf(lines, sizeof(lines), "If-Match: W/%s\r\n", etag);
	assert_int_equal(ask(&v, "GET", "/page.html", lines), 412);
	END(v);
	snprintf(lines, sizeof(lines), "If-Match: %s\r\n", etag);
	assert_int_equal(ask(&v, "GET", "/page.html", lines), 200);
	END(v);
	assert_int_equal(ask(&v, "GET", "/page.html",
				 "If-Modified-Since: Wed, 10 Nov 2021 10:00:00 GMT\r\n"),
		304);
	END(v);
	assert_int_equal(ask(&v, "GET", "/page.html",
				 "If-Unmodified-Since: Wed, 10 Nov 2021 09:00:00 GMT\r\n"),
		412);
	END(v);
}

/* ---- ranges ---- */

static void assert_range(const char *lines, unsigned status, const char *range, const char *body)
{
	struct served v;

	assert_int_equal(ask(&v, "GET", "/page.html", lines), status);
	assert_string_equal(field(&v, "content-range"), range);
	assert_string_equal(served_body(&v), body);
	END(v);
}

static void single_ranges(void **state)
{
	struct served v;

	(void)state;
	assert_range("Range: bytes=2-4\r\n", 206, "bytes 2-4/10", "234");
	assert_range("Range: bytes=7-\r\n", 206, "bytes 7-9/10", "789");
	assert_range("Range: bytes=-2\r\n", 206, "bytes 8-9/10", "89");
	assert_range("Range: bytes=0-99\r\n", 206, "bytes 0-9/10", "0123456789");
	assert_range("Range: bytes=10-\r\n", 416, "bytes */10", "");
	assert_range("Range: bytes=4-2\r\n", 200, "", "0123456789");
	assert_range("Range: pages=1-2\r\n", 200, "", "0123456789");
	/* a stretch of a large file, by sendfile */
	assert_int_equal(ask(&v, "GET", "/big.bin", "Range: bytes=1000-200999\r\n"), 206);
	assert_string_equal(field(&v, "content-length"), "200000");
	assert_int_equal(body_len(&v), 200000);
	assert_memory_equal(served_body(&v), big + 1000, 200000);
	END(v);
	/* HEAD has none: RFC 9110 section 14.2 */
	assert_int_equal(ask(&v, "HEAD", "/page.html", "Range: bytes=2-4\r\n"), 200);
	assert_string_equal(field(&v, "content-length"), "10");
	assert_string_equal(field(&v, "accept-ranges"), "bytes");
	END(v);
}

static void if_range_decides(void **state)
{
	char etag[128], lines[256];

	(void)state;
	etag_of("/page.html", "", etag);
	snprintf(lines, sizeof(lines), "Range: bytes=2-4\r\nIf-Range: %s\r\n", etag);
	assert_range(lines, 206, "bytes 2-4/10", "234");
	assert_range("Range: bytes=2-4\r\nIf-Range: \"other\"\r\n", 200, "", "0123456789");
	assert_range("Range: bytes=2-4\r\nIf-Range: Wed, 10 Nov 2021 10:00:00 GMT\r\n", 206,
		"bytes 2-4/10", "234");
	assert_range("Range: bytes=2-4\r\nIf-Range: Wed, 10 Nov 2021 10:00:01 GMT\r\n", 200, "",
		"0123456789");
	/* what would be 416 is the whole of what it has become */
	assert_range("Range: bytes=10-\r\nIf-Range: \"other\"\r\n", 200, "", "0123456789");
}

/* One part at *at: its head, and len bytes that are big's at first. Moves behind it. */
static void check_part(const char **at, const char *boundary, size_t first, size_t len)
{
	char expected[256];
	int n = snprintf(expected, sizeof(expected),
		"--%s\r\ncontent-type: application/octet-stream\r\n"
		"content-range: bytes %zu-%zu/%d\r\n\r\n",
		boundary, first, first + len - 1, BIG);

	assert_memory_equal(*at, expected, (size_t)n);
	*at += n;
	assert_memory_equal(*at, big + first, len);
	*at += len;
	assert_memory_equal(*at, "\r\n", 2);
	*at += 2;
}

static void several_ranges_are_parts(void **state)
{
	static const char kind[] = "multipart/byteranges; boundary=";
	char boundary[80], end[96], length[32];
	const char *at;
	struct served v;

	(void)state;
	assert_int_equal(ask(&v, "GET", "/big.bin",
				 "Range: bytes=200000-299998, 0-99999, 150000-150000\r\n"),
		206);
	assert_memory_equal(field(&v, "content-type"), kind, sizeof(kind) - 1);
	snprintf(boundary, sizeof(boundary), "%s", field(&v, "content-type") + sizeof(kind) - 1);
	snprintf(length, sizeof(length), "%zu", body_len(&v));
	assert_string_equal(field(&v, "content-length"), length);
	assert_string_equal(field(&v, "content-range"), "");
	at = served_body(&v);
	check_part(&at, boundary, 200000, 99999);
	check_part(&at, boundary, 0, 100000);
	check_part(&at, boundary, 150000, 1);
	snprintf(end, sizeof(end), "--%s--\r\n", boundary);
	assert_string_equal(at, end);
	END(v);
	/* those that come together are one, and no parts */
	assert_int_equal(ask(&v, "GET", "/big.bin", "Range: bytes=0-9,5-19\r\n"), 206);
	assert_string_equal(field(&v, "content-range"), "bytes 0-19/300000");
	END(v);
}

static void empty_files_have_no_ranges(void **state)
{
	struct served v;

	(void)state;
	assert_int_equal(ask(&v, "GET", "/empty.txt", "Range: bytes=0-\r\n"), 416);
	assert_string_equal(field(&v, "content-range"), "bytes */0");
	END(v);
}

/* ---- codings ---- */

static void check_coded(const char *accept, const char *coding)
{
	static char out[BIG];
	char lines[128];
	struct served v;
	size_t len;

	snprintf(lines, sizeof(lines), "Accept-Encoding: %s\r\n", accept);
	assert_int_equal(ask(&v, "GET", "/big.txt", lines), 200);
	assert_string_equal(field(&v, "vary"), "accept-encoding");
	assert_string_equal(field(&v, "content-encoding"), coding);
	if (*coding) {
		assert_string_equal(field(&v, "accept-ranges"), "");
		assert_memory_equal(field(&v, "etag"), "W/\"", 3);
		len = unchunk(&v);
		assert_in_range(len, 100, BIG / 2);
		assert_true(test_decode(coding, served_body(&v), len, out, BIG));
		assert_memory_equal(out, big, BIG);
	} else {
		assert_int_equal(body_len(&v), BIG);
		assert_memory_equal(served_body(&v), big, BIG);
	}
	END(v);
	/* HEAD says the same */
	assert_int_equal(ask(&v, "HEAD", "/big.txt", lines), 200);
	assert_string_equal(field(&v, "content-encoding"), coding);
	assert_string_equal(served_body(&v), "");
	END(v);
}

static void text_is_compressed_as_the_client_likes(void **state)
{
	(void)state;
	check_coded("identity", "");
	check_coded("deflate", "");
#ifdef WEFT_WITH_GZIP
	check_coded("gzip", "gzip");
	check_coded("br;q=0.5, gzip", "gzip");
	check_coded("gzip, identity;q=0", "gzip");
	check_coded("gzip;q=0.5, identity", "");
#endif
#ifdef WEFT_WITH_BROTLI
	check_coded("gzip, br", "br");
	check_coded("*", "br");
#endif
}

static void assert_plain(const char *target, const char *lines, const char *vary)
{
	struct served v;

	assert_int_equal(ask(&v, "GET", target, lines), 200);
	assert_string_equal(field(&v, "content-encoding"), "");
	assert_string_equal(field(&v, "vary"), vary);
	END(v);
}

static void what_is_not_worth_it_is_sent_as_it_is(void **state)
{
	static const char *const none[] = { NULL }, *const plain[] = { "text/plain", NULL };

	(void)state;
	assert_plain("/tiny.txt", "Accept-Encoding: gzip, br\r\n", "accept-encoding");
	assert_plain("/photo.png", "Accept-Encoding: gzip, br\r\n", "");
	assert_plain("/big.bin", "Accept-Encoding: gzip, br\r\n", "accept-encoding");
	files.no_precompressed = true;
	assert_plain("/tiny.txt", "Accept-Encoding: gzip, br\r\n", "");
	assert_plain("/big.bin", "Accept-Encoding: gzip, br\r\n", "");
	files.no_compress = true;
	assert_plain("/big.txt", "Accept-Encoding: gzip, br\r\n", "");
	files.no_compress = false;
	files.compress_max = BIG - 1;
	assert_plain("/big.txt", "Accept-Encoding: gzip, br\r\n", "");
	files.compress_max = 0;
	files.compress_types = none;
	assert_plain("/big.txt", "Accept-Encoding: gzip, br\r\n", "");
	files.compress_types = plain;
	files.compress_min = BIG + 1;
	assert_plain("/big.txt", "Accept-Encoding: gzip, br\r\n", "");
#ifdef WEFT_WITH_GZIP
	files.compress_min = BIG;
	check_coded("gzip", "gzip");
#endif
}

/* Slow readers must not hold all memory: the 65th gets the file as it is. */
static void encoders_are_limited(void **state)
{
#ifdef WEFT_WITH_GZIP
	enum { OVER = 66 };
	static const char request[] =
		"GET /big.txt HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n";
	const struct weft_context_options context = { .tls = "none", .write_high = 256 };
	struct served v, more[OVER];
	unsigned coded = 0, plain = 0;

	/* the first has the context, the others a connection each */
	served_open_with(&v, &context, &vhost);
	for (unsigned i = 0; i < OVER; i++) {
		more[i] = (struct served){ .ctx = v.ctx, .vh = v.vh };
		served_join(&more[i]);
		served_write(&more[i], request, strlen(request));
	}
	for (unsigned turn = 0; turn < 50; turn++)
		assert_true(weft_context_turn(v.ctx, 0) >= 0);
	for (unsigned i = 0; i < OVER; i++) {
		served_until(&more[i], "\r\n\r\n");
		coded += *field(&more[i], "content-encoding") != 0;
		plain += *field(&more[i], "content-encoding") == 0;
	}
	assert_int_equal(coded, 64);
	assert_int_equal(plain, OVER - 64);
	for (unsigned i = 0; i < OVER; i++)
		served_leave(&more[i]);
	served_close(&v);
#endif
	(void)state;
}

static void a_coded_variant_has_its_own_validator(void **state)
{
#ifdef WEFT_WITH_GZIP
	char plain[128], coded[128], lines[256];
	struct served v;

	etag_of("/big.txt", "", plain);
	etag_of("/big.txt", "Accept-Encoding: gzip\r\n", coded);
	assert_string_not_equal(plain, coded);
	snprintf(lines, sizeof(lines), "Accept-Encoding: gzip\r\nIf-None-Match: %s\r\n", coded);
	assert_int_equal(ask(&v, "GET", "/big.txt", lines), 304);
	assert_string_equal(field(&v, "vary"), "accept-encoding");
	END(v);
	snprintf(lines, sizeof(lines), "Accept-Encoding: gzip\r\nIf-None-Match: %s\r\n", plain);
	assert_int_equal(ask(&v, "GET", "/big.txt", lines), 200);
	END(v);
	/* a range is of the file as it is */
	assert_int_equal(
		ask(&v, "GET", "/big.txt", "Accept-Encoding: gzip\r\nRange: bytes=1-2\r\n"), 206);
	assert_string_equal(field(&v, "content-encoding"), "");
	assert_memory_equal(served_body(&v), big + 1, 2);
	END(v);
#endif
	(void)state;
}

static void nothing_acceptable_is_406(void **state)
{
	struct served v;

	(void)state;
	assert_int_equal(ask(&v, "GET", "/photo.png", "Accept-Encoding: identity;q=0\r\n"), 406);
	assert_string_equal(field(&v, "vary"), "accept-encoding");
	END(v);
}

static void precompressed_siblings_stand_in(void **state)
{
	char plain[128], coded[128];
	struct served v;

	(void)state;
	make("page.html.gz", "as if it were gzip", 18);
	make("page.html.br", "as if it were br", 16);
	assert_int_equal(ask(&v, "GET", "/page.html", "Accept-Encoding: gzip\r\n"), 200);
	assert_string_equal(field(&v, "content-encoding"), "gzip");
	assert_string_equal(field(&v, "content-type"), "text/html; charset=utf-8");
	assert_string_equal(field(&v, "content-length"), "18");
	assert_string_equal(field(&v, "vary"), "accept-encoding");
	assert_string_equal(served_body(&v), "as if it were gzip");
	END(v);
	assert_int_equal(ask(&v, "GET", "/page.html", "Accept-Encoding: gzip, br\r\n"), 200);
	assert_string_equal(served_body(&v), "as if it were br");
	END(v);
	/* it is a file: it has ranges */
	assert_int_equal(
		ask(&v, "GET", "/page.html", "Accept-Encoding: gzip\r\nRange: bytes=-4\r\n"), 206);
	assert_string_equal(field(&v, "content-range"), "bytes 14-17/18");
	assert_string_equal(served_body(&v), "gzip");
	END(v);
	etag_of("/page.html", "", plain);
	etag_of("/page.html", "Accept-Encoding: gzip\r\n", coded);
	assert_string_not_equal(plain, coded);
	assert_int_equal(coded[0], '"');
	/* one that is older than the file is of another one */
	set_time("page.html.br", -1);
	assert_int_equal(ask(&v, "GET", "/page.html", "Accept-Encoding: gzip, br\r\n"), 200);
	assert_string_equal(field(&v, "content-encoding"), "gzip");
	END(v);
	files.no_precompressed = true;
	assert_int_equal(ask(&v, "GET", "/page.html", "Accept-Encoding: gzip, br\r\n"), 200);
	assert_string_equal(served_body(&v), "0123456789");
	END(v);
	files.no_precompressed = false;
	/* nor one that is no file, or elsewhere */
	unlink(path_of("page.html.br"));
	unlink(path_of("page.html.gz"));
	assert_int_equal(mkfifo(path_of("page.html.br"), 0600), 0);
	assert_int_equal(symlink("../secret", path_of("page.html.gz")), 0);
	assert_int_equal(ask(&v, "GET", "/page.html", "Accept-Encoding: gzip, br\r\n"), 200);
	assert_string_equal(served_body(&v), "0123456789");
	END(v);
	unlink(path_of("page.html.br"));
	unlink(path_of("page.html.gz"));
}

/* ---- the rest ---- */

static void caches_are_told_by_pattern(void **state)
{
	static const struct weft_files_cache rules[] = {
		{ "/docs/*", "no-store" },
		{ "*.html", "max-age=60" },
		{ "*.png", "max-age=31536000, immutable" },
		{ NULL, NULL },
	};
	static const struct {
		const char *target, *expected;
	} cases[] = {
		{ "/page.html", "max-age=60" },
		{ "/docs/start.htm", "no-store" },
		{ "/docs/", "no-store" },
		{ "/photo.png", "max-age=31536000, immutable" },
		{ "/tiny.txt", "" },
	};
	struct served v;

	(void)state;
	files.cache = rules;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(ask(&v, "GET", cases[i].target, ""), 200);
		assert_string_equal(field(&v, "cache-control"), cases[i].expected);
		END(v);
	}
	assert_int_equal(ask(&v, "GET", "/page.html", "If-None-Match: *\r\n"), 304);
	assert_string_equal(field(&v, "cache-control"), "max-age=60");
	END(v);
}

static void the_index_has_the_name_that_it_was_given(void **state)
{
	struct served v;

	(void)state;
	files.index = "start.htm";
	assert_int_equal(ask(&v, "GET", "/docs/", ""), 200);
	assert_string_equal(served_body(&v), "start");
	END(v);
	files.index = "";
	assert_int_equal(ask(&v, "GET", "/docs/", ""), 404);
	END(v);
}

static void directories_are_listed_where_that_is_wanted(void **state)
{
	const char *sub, *a, *b;
	struct served v;

	(void)state;
	assert_int_equal(ask(&v, "GET", "/list/", ""), 404);
	END(v);
	files.listing = true;
	assert_int_equal(ask(&v, "GET", "/list/", ""), 200);
	assert_string_equal(field(&v, "content-type"), "text/html; charset=utf-8");
	sub = strstr(v.text, "<a href=\"%3Csub%3E/\">&lt;sub&gt;/</a>");
	a = strstr(
		v.text, "<a href=\"a%22%27%25.txt\">a&quot;'%.txt</a></td><td align=\"right\">1<");
	b = strstr(v.text, "<a href=\"b%26.txt\">b&amp;.txt</a></td><td align=\"right\">2<");
	assert_true(sub && a && b && sub < a && a < b);
	assert_null(strstr(v.text, "hidden"));
	assert_null(strstr(v.text, "pipe"));
	assert_non_null(strstr(v.text, "../"));
	END(v);
	/* an index stands before a list, and the list has no file's name */
	assert_int_equal(ask(&v, "GET", "/docs/", ""), 200);
	assert_string_equal(served_body(&v), "index");
	END(v);
	assert_int_equal(ask(&v, "GET", "/page.html/", ""), 404);
	END(v);
	assert_int_equal(ask(&v, "GET", "/none/", ""), 404);
	END(v);
	assert_int_equal(ask(&v, "GET", "/", ""), 200);
	assert_null(strstr(v.text, "href=\"../\""));
	END(v);
	assert_int_equal(ask(&v, "HEAD", "/list/", ""), 200);
	assert_string_equal(served_body(&v), "");
	END(v);
}

/* Truncates the file once its head was sent. */
static void shrink(const char *target, const char *lines)
{
	char request[256];
	struct served v;

	make("shrinks.txt", big, BIG);
	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n", target, lines);
	served_open(&v, &vhost);
	served_send(&v, request, strlen(request), SIZE_MAX);
	for (int i = 0; i < 1000 && v.len < 1000; i++)
		served_turn(&v);
	assert_int_equal(served_status(&v) / 100, 2);
	assert_int_equal(truncate(path_of("shrinks.txt"), 70), 0);
	served_until_end(&v);
	assert_true(v.len < BIG);
	/* no last chunk, no closing boundary */
	assert_null(strstr(v.text + v.len - 8, "\r\n0\r\n\r\n"));
	assert_null(strstr(v.text + v.len - 8, "--\r\n"));
	served_close(&v);
	unlink(path_of("shrinks.txt"));
}

static void a_file_that_shrinks_ends_its_connection(void **state)
{
	(void)state;
	shrink("/shrinks.txt", "");
	shrink("/shrinks.txt", "Range: bytes=0-100000,200000-\r\n");
}

static void another_directory_of_that_name_is_noticed(void **state)
{
	static const char request[] = "GET /page.html HTTP/1.1\r\nHost: a\r\n\r\n";
	static char moved[sizeof(root) + 8];
	struct served v;
	uint64_t begun;

	(void)state;
	snprintf(moved, sizeof(moved), "%s.old", root);
	served_open(&v, &vhost);
	served_send(&v, request, strlen(request), SIZE_MAX);
	served_until(&v, "0123456789");
	begun = weft_context_now(v.ctx);
	assert_int_equal(rename(root, moved), 0);
	assert_int_equal(mkdir(root, 0700), 0);
	make("page.html", "the new one", 11);
	while (weft_context_now(v.ctx) < begun + 1000000)
		served_turn(&v);
	served_forget(&v);
	served_send(&v, request, strlen(request), SIZE_MAX);
	served_until(&v, "the new one");
	served_close(&v);
	unlink(path_of("page.html"));
	assert_int_equal(rmdir(root), 0);
	assert_int_equal(rename(moved, root), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_tag_changes_with_the_file_alone, fresh),
		cmocka_unit_test_setup(conditions_are_answered, fresh),
		cmocka_unit_test_setup(single_ranges, fresh),
		cmocka_unit_test_setup(if_range_decides, fresh),
		cmocka_unit_test_setup(several_ranges_are_parts, fresh),
		cmocka_unit_test_setup(empty_files_have_no_ranges, fresh),
		cmocka_unit_test_setup(text_is_compressed_as_the_client_likes, fresh),
		cmocka_unit_test_setup(what_is_not_worth_it_is_sent_as_it_is, fresh),
		cmocka_unit_test_setup(encoders_are_limited, fresh),
		cmocka_unit_test_setup(a_coded_variant_has_its_own_validator, fresh),
		cmocka_unit_test_setup(nothing_acceptable_is_406, fresh),
		cmocka_unit_test_setup(precompressed_siblings_stand_in, fresh),
		cmocka_unit_test_setup(caches_are_told_by_pattern, fresh),
		cmocka_unit_test_setup(the_index_has_the_name_that_it_was_given, fresh),
		cmocka_unit_test_setup(directories_are_listed_where_that_is_wanted, fresh),
		cmocka_unit_test_setup(a_file_that_shrinks_ends_its_connection, fresh),
		cmocka_unit_test_setup(another_directory_of_that_name_is_noticed, fresh),
	};

	return cmocka_run_group_tests_name("http serve files", tests, make_tree, remove_tree);
}
