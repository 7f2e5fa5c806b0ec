/* SPDX-License-Identifier: MIT */
/* Statuses by name, and the one place where errno becomes a status. */
#include "weft/status.h"

#include <errno.h>
#include <string.h>

const char *weft_status_name(enum weft_status status)
{
	switch (status) {
	case WEFT_OK:
		return "ok";
	case WEFT_AGAIN:
		return "again";
	case WEFT_BLOCKED:
		return "blocked";
	case WEFT_EOF:
		return "eof";
	case WEFT_ERR_MEMORY:
		return "memory";
	case WEFT_ERR_ARGUMENT:
		return "argument";
	case WEFT_ERR_STATE:
		return "state";
	case WEFT_ERR_NOT_FOUND:
		return "not_found";
	case WEFT_ERR_EXISTS:
		return "exists";
	case WEFT_ERR_UNSUPPORTED:
		return "unsupported";
	case WEFT_ERR_LIMIT:
		return "limit";
	case WEFT_ERR_TIMEOUT:
		return "timeout";
	case WEFT_ERR_CANCELLED:
		return "cancelled";
	case WEFT_ERR_IO:
		return "io";
	case WEFT_ERR_REFUSED:
		return "refused";
	case WEFT_ERR_RESET:
		return "reset";
	case WEFT_ERR_UNREACHABLE:
		return "unreachable";
	case WEFT_ERR_RESOLVE:
		return "resolve";
	case WEFT_ERR_TLS:
		return "tls";
	case WEFT_ERR_VERIFY:
		return "verify";
	case WEFT_ERR_TRUNCATED:
		return "truncated";
	case WEFT_ERR_PROTOCOL:
		return "protocol";
	case WEFT_ERR_PLUGIN:
		return "plugin";
	case WEFT_ERR_ABI:
		return "abi";
	case WEFT_ERR_NOT_REPLAYABLE:
		return "not_replayable";
	case WEFT_ERR_SHUTDOWN:
		return "shutdown";
	}
	return "unknown";
}

enum weft_status weft_error_setv(
	struct weft_error *err, enum weft_status status, int native, const char *fmt, va_list args)
{
	if (err) {
		err->status = status;
		err->native = native;
		vsnprintf(err->text, sizeof(err->text), fmt, args);
	}
	return status;
}

enum weft_status weft_error_set(
	struct weft_error *err, enum weft_status status, int native, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	weft_error_setv(err, status, native, fmt, args);
	va_end(args);
	return status;
}

static enum weft_status status_of_errno(int e)
{
	switch (e) {
	case ECONNREFUSED:
		return WEFT_ERR_REFUSED;
	case ECONNRESET:
	case EPIPE:
	case ECONNABORTED:
		return WEFT_ERR_RESET;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case EADDRNOTAVAIL:
		return WEFT_ERR_UNREACHABLE;
	case ETIMEDOUT:
		return WEFT_ERR_TIMEOUT;
	case EMFILE:
	case ENFILE:
		return WEFT_ERR_LIMIT;
	case ENOMEM:
	case ENOBUFS:
		return WEFT_ERR_MEMORY;
	case EADDRINUSE:
	case EEXIST:
		return WEFT_ERR_EXISTS;
	case ENOENT:
		return WEFT_ERR_NOT_FOUND;
	default:
		return WEFT_ERR_IO;
	}
}

enum weft_status weft_error_errno(struct weft_error *err, int errno_value, const char *fmt, ...)
{
	enum weft_status status = status_of_errno(errno_value);
	va_list args;
	size_t used;

	va_start(args, fmt);
	weft_error_setv(err, status, errno_value, fmt, args);
	va_end(args);
	if (err) {
		used = strlen(err->text);
		snprintf(err->text + used, sizeof(err->text) - used, ": %s", strerror(errno_value));
	}
	return status;
}

enum weft_status weft_error_prefix(struct weft_error *err, const char *fmt, ...)
{
	char old[sizeof(err->text)];
	va_list args;
	size_t used;

	if (!err)
		return WEFT_ERR_STATE;
	memcpy(old, err->text, sizeof(old));
	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	used = strlen(err->text);
	snprintf(err->text + used, sizeof(err->text) - used, ": %s", old);
	return err->status;
}

enum weft_status weft_error_print(FILE *to, const struct weft_error *err)
{
	fprintf(to, "%s: %s\n", weft_status_name(err->status), err->text);
	return err->status;
}
