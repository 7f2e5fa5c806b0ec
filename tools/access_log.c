/* SPDX-License-Identifier: MIT */
/* Where the lines of the access log go. */
#include "access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GATHER_BYTES = 4 * ACCESS_LINE_MAX, GATHER_US = 1000 };

static const char *const formats[] = { "common", "combined", "json" };

static struct {
	const char *path;
	int fd;
	unsigned format;
	bool complained;
	pthread_mutex_t lock; /* of fd */
} file = { .fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER };

struct access_log {
	struct weft_context *ctx;
	struct weft_timer timer;
	size_t len;
	char text[GATHER_BYTES];
};

static bool find_format(const char *name, unsigned *out)
{
	for (unsigned i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(name, formats[i]))
			continue;
		*out = i;
		return true;
	}
	return false;
}

bool access_log_format(const char *name)
{
	unsigned ignored;

	return find_format(name, &ignored);
}

static int open_file(const char *path)
{
	if (!strcmp(path, "-"))
		return STDOUT_FILENO;
	/* a pipe whose reader sleeps must not stop the server: its lines are lost, and that is said */
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0644);
}

bool access_log_open(const char *path, const char *format)
{
	if (!find_format(format, &file.format))
		return false;
	file.path = path;
	file.fd = open_file(path);
	if (file.fd < 0)
		fprintf(stderr, "weft serve: --access-log %s: %s\n", path, strerror(errno));
	return file.fd >= 0;
}

bool access_log_reopen(void)
{
	int fd, old;

	if (!file.path || !strcmp(file.path, "-"))
		return true;
	fd = open_file(file.path);
	if (fd < 0) {
		fprintf(stderr, "weft serve: --access-log %s: %s; the old file stays in use\n",
			file.path, strerror(errno));
		return false;
	}
	pthread_mutex_lock(&file.lock);
	old = file.fd;
	file.fd = fd;
	pthread_mutex_unlock(&file.lock);
	close(old);
	return true;
}

/* Whole lines, one worker's at a time. What a full disk does not take is lost, and said once. */
static void flush(struct access_log *log)
{
	const char *p = log->text;
	size_t left = log->len;
	ssize_t n = 0;

	pthread_mutex_lock(&file.lock);
	while (left && (n = write(file.fd, p, left), n > 0 || (n < 0 && errno == EINTR))) {
		p += n > 0 ? n : 0;
		left -= n > 0 ? (size_t)n : 0;
	}
	if (left && !file.complained)
		fprintf(stderr, "weft serve: --access-log %s: %s\n", file.path, strerror(errno));
	file.complained = left > 0;
	pthread_mutex_unlock(&file.lock);
	log->len = 0;
}

static void on_timer(struct weft_timer *timer, void *user)
{
	(void)timer;
	flush(user);
}

struct access_log *access_log_begin(struct weft_context *ctx)
{
	struct access_log *log = calloc(1, sizeof(*log));

	if (log)
		log->ctx = ctx;
	return log;
}

void access_log_end(struct access_log *log)
{
	if (log && log->len)
		flush(log);
	free(log);
}

void access_log_add(struct weft_stream *s, const struct weft_access *access, void *user)
{
	struct access_log *log = user;

	if (log->len + ACCESS_LINE_MAX + 1 > sizeof(log->text))
		flush(log);
	/* a line waits a moment, in case that others come */
	if (!log->len)
		weft_timer_set(log->ctx, &log->timer, GATHER_US, on_timer, log);
	if (file.format == 2)
		log->len += access_line_json(s, access, log->text + log->len);
	else
		log->len += access_line_text(s, access, file.format == 1, log->text + log->len);
	log->text[log->len++] = '\n';
}
