/* SPDX-License-Identifier: MIT */
/* Log lines: formatted once, below the level not at all. */
#include "weft/log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/system/context.h"

static const char *const words[] = { "none", "error", "warn", "info", "debug" };

void weft_log_stderr(void *user, enum weft_log_level level, const char *line)
{
	char when[32];
	struct tm tm;
	time_t now;

	if (!user) {
		fprintf(stderr, "%s %s\n", words[level], line);
		return;
	}
	now = (time_t)weft_context_wall(user);
	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	fprintf(stderr, "%s %s %s\n", when, words[level], line);
}

enum weft_status weft_log_level_parse(
	const char *word, enum weft_log_level *level, struct weft_error *err)
{
	for (size_t i = 1; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(word, words[i])) {
			*level = (enum weft_log_level)i;
			return WEFT_OK;
		}
	}
	return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
		"log level \"%s\" is not one of error, warn, info, debug", word);
}

void weft_log(struct weft_context *ctx, enum weft_log_level level, const char *fmt, ...)
{
	char line[512];
	va_list args;

	if (level > ctx->log_level)
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	ctx->log(ctx->log_user, level, line);
}
