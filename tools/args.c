/* SPDX-License-Identifier: MIT */
/* Long options, the same way for every command. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

const char *args_next(struct args *a, bool *bad)
{
	const struct option_spec *o;
	char *arg, *equals;
	size_t len;

	if (a->at >= a->argc)
		return NULL;
	arg = a->argv[a->at++];
	a->value = arg;
	if (!a->specs || arg[0] != '-' || !arg[1])
		return "";
	if (!strcmp(arg, "--")) {
		a->specs = NULL;
		return args_next(a, bad);
	}
	equals = !strncmp(arg, "--", 2) ? strchr(arg, '=') : NULL;
	len = equals ? (size_t)(equals - arg) : strlen(arg);
	for (o = a->specs; o->name; o++) {
		if (strlen(o->name) == len && !strncmp(o->name, arg, len))
			break;
	}
	if (!o->name) {
		fprintf(stderr, "weft %s: unknown option %s; see weft %s --help\n", a->command, arg,
			a->command);
		*bad = true;
		return NULL;
	}
	if (!o->value && !equals)
		return o->name;
	if (!o->value || (!equals && a->at >= a->argc)) {
		fprintf(stderr, "weft %s: %s %s\n", a->command, o->name,
			o->value ? "needs a value" : "takes no value");
		*bad = true;
		return NULL;
	}
	a->value = equals ? equals + 1 : a->argv[a->at++];
	return o->name;
}

void args_help(const char *usage, const struct option_spec *specs)
{
	char left[48];

	printf("usage: %s\n\n", usage);
	for (; specs->name; specs++) {
		snprintf(
			left, sizeof(left), "%s %s", specs->name, specs->value ? specs->value : "");
		printf("  %-24s %s\n", left, specs->help);
	}
}

bool args_number(const struct args *a, const char *option, unsigned long max, unsigned long *out)
{
	const char *text = a->value;
	char *end;

	errno = 0;
	*out = strtoul(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && !*end && !errno && *out && *out <= max)
		return true;
	fprintf(stderr, "weft %s: %s \"%s\": expected a number from 1 to %lu\n", a->command, option,
		text, max);
	return false;
}

bool args_log(const struct args *a, enum weft_log_level *out)
{
	struct weft_error err;

	if (weft_log_level_parse(a->value, out, &err) == WEFT_OK)
		return true;
	fprintf(stderr, "weft %s: %s\n", a->command, err.text);
	return false;
}
