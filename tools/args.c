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
	if (arg[0] != '-' || !arg[1])
		return "";
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

bool args_number(const char *option, const char *text, unsigned long max, unsigned long *out)
{
	char *end;

	errno = 0;
	*out = strtoul(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && !*end && !errno && *out && *out <= max)
		return true;
	fprintf(stderr, "weft: %s \"%s\": expected a number from 1 to %lu\n", option, text, max);
	return false;
}
