/* SPDX-License-Identifier: MIT */
/* Files, through POSIX. */
#include "core/system/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum weft_status weft_file_read(int fd, uint64_t off, void *to, size_t len, struct weft_error *err)
{
	unsigned char *at = to;
	ssize_t n;

	while (len) {
		n = pread(fd, at, len, (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return weft_error_errno(err, errno, "reading a file");
		if (!n)
			return weft_error_set(err, WEFT_ERR_TRUNCATED, 0,
				"a file ended %zu bytes before what was announced", len);
		at += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return WEFT_OK;
}

enum weft_status weft_file_piece(struct weft_memory *memory, const struct weft_segment *file,
	unsigned char **piece, size_t *cap, struct weft_error *err)
{
	enum weft_status st;

	*piece = weft_block_get(memory, file->len, cap);
	if (!*piece)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory to read a file into");
	st = weft_file_read(file->fd, file->off, *piece, file->len, err);
	if (st)
		weft_block_put(memory, *piece, *cap);
	return st;
}

enum weft_status weft_file_load(
	const char *path, size_t max, struct weft_buffer *to, struct weft_error *err)
{
	enum weft_status st = WEFT_OK;
	size_t size;
	unsigned char *at;
	struct stat info;
	/* nobody may come to the other end of a pipe with a name */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return weft_error_errno(err, errno, "%s", path);
	if (fstat(fd, &info) < 0) {
		st = weft_error_errno(err, errno, "%s", path);
	} else if (!S_ISREG(info.st_mode)) {
		st = weft_error_set(err, WEFT_ERR_ARGUMENT, 0, "%s: not a regular file", path);
	} else if ((uint64_t)info.st_size > max) {
		st = weft_error_set(err, WEFT_ERR_LIMIT, 0, "%s: %lld bytes, more than %zu", path,
			(long long)info.st_size, max);
	} else {
		size = (size_t)info.st_size;
		at = weft_buffer_reserve(to, size + 1);
		if (!at)
			st = weft_error_set(
				err, WEFT_ERR_MEMORY, 0, "%s: no memory to read it", path);
		else
			st = weft_file_read(fd, 0, at, size, err);
		if (st == WEFT_OK)
			weft_buffer_commit(to, size);
		else if (at && err)
			weft_error_prefix(err, "%s", path);
	}
	close(fd);
	return st;
}

bool weft_file_is_socket(const char *path)
{
	struct stat info;

	return lstat(path, &info) == 0 && S_ISSOCK(info.st_mode);
}

const char *weft_file_system_trust(void)
{
	static const char *const places[] = {
		"/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/ssl/ca-bundle.pem",
		"/etc/ssl/cert.pem",
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (access(places[i], R_OK) == 0)
			return places[i];
	}
	return NULL;
}
