/* SPDX-License-Identifier: MIT */
/* What the commands of `weft` share: options and how to complain. */
#ifndef WEFT_TOOLS_TOOL_H
#define WEFT_TOOLS_TOOL_H

#include <stdbool.h>
#include <stddef.h>

#include "weft/weft.h"

enum { EXIT_SOME_FAILED = 1, EXIT_USAGE = 2, EXIT_VERIFY = 3 };

/* A long option: "--name" or "--name VALUE" or "--name=VALUE". */
struct option_spec {
	const char *name;  /* with its dashes */
	const char *value; /* what to call it in the help, NULL: a flag */
	const char *help;
};

struct args {
	int argc, at;
	char **argv;
	const struct option_spec *specs; /* ended by a NULL name; NULL: only operands follow */
	const char *command;
	const char *value; /* of the option that args_next returned */
};

/*
 * The next option's name, "" for an operand (in value), NULL at the end. Prints what is wrong and sets
 * *bad for an unknown option or a missing value. "--" ends the options.
 */
const char *args_next(struct args *args, bool *bad);
void args_help(const char *usage, const struct option_spec *specs);
/* A number from 1 to max as the value of option; complains otherwise. */
bool args_number(
	const struct args *args, const char *option, unsigned long max, unsigned long *out);
/* A level as the value of --log; complains otherwise. */
bool args_log(const struct args *args, enum weft_log_level *out);

int serve_main(int argc, char **argv);
int get_main(int argc, char **argv);
int policy_main(int argc, char **argv);
int plugins_main(int argc, char **argv);

/* A P-256 certificate and key in PEM, for names and addresses that end with NULL; malloc'ed. */
enum weft_status self_signed_make(
	const char *const *names, char **cert, char **key, struct weft_error *err);

/* The built-in routes of `weft serve`. Any thread may run them, once one has called route_init. */
void route_init(void);
enum weft_status route_hello(struct weft_stream *s, void *user);
enum weft_status route_echo(struct weft_stream *s, void *user);
/* Of a role without heads: all that comes. */
enum weft_status route_echo_bytes(struct weft_stream *s, void *user);
enum weft_status route_bytes(struct weft_stream *s, void *user);

#endif
