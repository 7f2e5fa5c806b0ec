/* SPDX-License-Identifier: MIT */
/* The weft command: picks the subcommand. */
#include <stdio.h>
#include <string.h>

#include "tool.h"

static const struct {
	const char *name, *help;
	int (*main)(int argc, char **argv);
} commands[] = {
	{ "serve", "serve files and a few built-in routes over HTTP", serve_main },
	{ "get", "fetch URLs, sharing connections", get_main },
	{ "policy", "check, compile, explain and compare policies", policy_main },
	{ "plugins", "list event loops, TLS backends and roles", plugins_main },
};

static void help(FILE *to)
{
	fprintf(to, "usage: weft COMMAND [OPTION]...\n\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].help);
	fprintf(to, "\nweft COMMAND --help says more; weft --version tells the version.\n");
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help")) {
		help(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("weft " WEFT_VERSION "\n");
		return 0;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].main(argc - 1, argv + 1);
	}
	fprintf(stderr, "weft: no command \"%s\"; see weft --help\n", argv[1]);
	return EXIT_USAGE;
}
