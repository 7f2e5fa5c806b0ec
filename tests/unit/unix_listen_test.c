/* SPDX-License-Identifier: MIT */
/* Listening at a path where there is something already: only a socket that nobody answers at gives way. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "weft/weft.h"

enum { BACKLOG_MAX = 64 };

struct world {
	struct weft_context *ctx;
	struct weft_vhost *vh;
	char dir[32], path[64], url[96];
};

static enum weft_status handler(struct weft_stream *s, void *user)
{
	(void)s;
	(void)user;
	return WEFT_OK;
}

static const struct weft_route routes[] = { { .prefix = "", .on_request = handler }, { 0 } };

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

static void open_world(struct world *w)
{
	const struct weft_context_options o = { .event = "poll", .tls = "none", .log = no_log };
	const struct weft_vhost_options v = { .name = "a", .routes = routes };

	strcpy(w->dir, "/tmp/weft-test-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/sock", w->dir);
	snprintf(w->url, sizeof(w->url), "tcp+unix:%s", w->path);
	assert_int_equal(weft_context_create(&o, &w->ctx, NULL), WEFT_OK);
	assert_int_equal(weft_vhost_create(w->ctx, &v, &w->vh, NULL), WEFT_OK);
}

static void close_world(struct world *w)
{
	weft_context_destroy(w->ctx, 0, NULL, NULL);
	unlink(w->path);
	assert_int_equal(rmdir(w->dir), 0);
}

static struct sockaddr_un address(const struct world *w)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	strcpy(a.sun_path, w->path);
	return a;
}

static int listen_there(const struct world *w)
{
	struct sockaddr_un a = address(w);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 0), 0);
	return fd;
}

static ino_t inode(const struct world *w)
{
	struct stat info;

	assert_int_equal(lstat(w->path, &info), 0);
	return info.st_ino;
}

static void a_file_that_is_no_socket_stays(void **state)
{
	struct world w;
	ino_t before;
	int fd;

	(void)state;
	open_world(&w);
	fd = open(w.path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	before = inode(&w);
	assert_int_equal(weft_vhost_listen(w.vh, w.url, NULL), WEFT_ERR_EXISTS);
	assert_int_equal(inode(&w), before);
	close_world(&w);
}

static void a_busy_listener_stays(void **state)
{
	struct sockaddr_un a;
	struct world w;
	ino_t before;
	int fd, waiting[BACKLOG_MAX], count = 0;

	(void)state;
	open_world(&w);
	a = address(&w);
	fd = listen_there(&w);
	before = inode(&w);
	do
		waiting[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	while (connect(waiting[count], (struct sockaddr *)&a, sizeof(a)) == 0 &&
		++count < BACKLOG_MAX);
	assert_true(count < BACKLOG_MAX); /* its queue is full */
	assert_int_equal(weft_vhost_listen(w.vh, w.url, NULL), WEFT_ERR_EXISTS);
	assert_int_equal(inode(&w), before);
	for (; count >= 0; count--)
		close(waiting[count]);
	close(fd);
	close_world(&w);
}

static void a_socket_that_nobody_answers_at_gives_way(void **state)
{
	struct sockaddr_un a;
	struct world w;
	int fd;

	(void)state;
	open_world(&w);
	a = address(&w);
	close(listen_there(&w));
	assert_int_equal(weft_vhost_listen(w.vh, w.url, NULL), WEFT_OK);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	close(fd);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_that_is_no_socket_stays),
		cmocka_unit_test(a_busy_listener_stays),
		cmocka_unit_test(a_socket_that_nobody_answers_at_gives_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
