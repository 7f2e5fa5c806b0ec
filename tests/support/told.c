/* SPDX-License-Identifier: MIT */
/* Problems of policies, written down. */
#include "tests/support/told.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void tell(void *user, const struct weft_policy_problem *p)
{
	struct told *t = user;
	int n = snprintf(t->text + t->used, sizeof(t->text) - t->used, "%u:%u: %s%s%s%s\n", p->line,
		p->column, p->path, p->path[0] ? ": " : "", p->warning ? "warning: " : "", p->text);

	assert_true(n > 0 && (size_t)n < sizeof(t->text) - t->used);
	assert_string_equal(p->file, "p.json");
	t->used += (size_t)n;
	t->problems++;
}

void told_listen(struct told *t, struct weft_policy_load_options *options)
{
	t->text[0] = '\0';
	t->used = 0;
	t->problems = 0;
	options->tell = tell;
	options->user = t;
}

const struct weft_policy *told_parse(struct told *t, const char *json, const char *folder,
	struct weft_policy_load_options *options)
{
	struct weft_span text = { (const unsigned char *)json, strlen(json) };
	const struct weft_policy *policy = NULL;
	struct weft_error err = { .status = WEFT_OK };
	enum weft_status st;

	told_listen(t, options);
	st = weft_policy_parse("p.json", text, folder, options, &policy, &err);
	if (!st)
		return policy;
	assert_null(policy);
	assert_int_equal(st, err.status);
	if (st == WEFT_ERR_ARGUMENT)
		assert_int_equal(strncmp(err.text, "p.json:", 7), 0);
	return NULL;
}

static bool is_failure(const char *told)
{
	for (; *told; told = strchr(told, '\n') + 1) {
		const char *warning = strstr(told, "warning: ");

		if (!warning || warning > strchr(told, '\n'))
			return true;
	}
	return false;
}

void told_check(const struct told_case *list, size_t count, bool for_static)
{
	struct told *t = calloc(1, sizeof(*t));
	const struct weft_policy *policy;

	assert_non_null(t);
	for (size_t i = 0; i < count; i++) {
		struct weft_policy_load_options o = {
			.size = sizeof(o), .tls = "none", .for_static = for_static
		};
		const char *expected = list[i].told ? list[i].told : "";

		policy = told_parse(t, list[i].json, NULL, &o);
		if (strcmp(t->text, expected))
			fail_msg("%s\nwas told:\n%sexpected:\n%s", list[i].json, t->text, expected);
		assert_int_equal(policy != NULL, !is_failure(expected));
		weft_policy_release(policy);
	}
	free(t);
}
