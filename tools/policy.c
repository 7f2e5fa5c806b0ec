/* SPDX-License-Identifier: MIT */
/* weft policy: its command line, and loading. */
#include "policy.h"

#include <stdlib.h>
#include <string.h>

static const struct option_spec options[] = {
	{ "-o", "FILE", "compile: write the C here; -: standard output" },
	{ "--symbol", "NAME", "compile: call the policy this (weft_policy_FILE)" },
	{ "--depfile", "FILE", "compile: write what it was made from here, for make and ninja" },
	{ "--metadata", "NAME=VALUE", "explain: what the application would say (repeatable)" },
	{ "--json", NULL, "explain: one JSON object instead of text" },
	{ "--tls", "NAME", "TLS backend that reads certificates; none: take them as they are" },
	{ "--plugin-dir", "DIR", "where plugin modules are (an absolute path)" },
	{ "--help", NULL, "this text" },
	{ NULL, NULL, NULL },
};

static const struct command {
	const char *name, *operands, *help;
	size_t least, most;
	int (*run)(const struct policy_options *o);
} commands[] = {
	{ "check", "FILE...", "tell all that is wrong, and build every trust store", 1, 64,
		policy_check },
	{ "compile", "FILE -o OUT.c", "make C tables of it", 1, 1, policy_compile },
	{ "explain", "FILE STREAM", "tell what a stream would do, without doing it", 2, 2,
		policy_explain },
	{ "schema", "", "print a JSON Schema of policies, for editors", 0, 0, policy_schema },
	{ "diff", "FILE FILE", "tell in what two policies differ", 2, 2, policy_diff },
};

static void help(void)
{
	args_help("weft policy COMMAND [OPTION]... FILE...", options);
	printf("\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		printf("  %-8s %-15s %s\n", commands[i].name, commands[i].operands,
			commands[i].help);
	printf("\nExit code: 0 fine, 1 a policy is wrong (diff: they differ), 2 a mistake in the "
	       "command line "
	       "(diff: or a policy is wrong).\n");
}

static bool add_metadata(struct policy_options *o, char *text)
{
	char *equals = strchr(text, '=');

	if (!equals || equals == text) {
		fprintf(stderr, "weft policy: --metadata \"%s\": expected NAME=VALUE\n", text);
		return false;
	}
	if (o->metadata_count == METADATA_MAX) {
		fprintf(stderr, "weft policy: more than %d times --metadata\n", METADATA_MAX);
		return false;
	}
	*equals = '\0';
	o->metadata[o->metadata_count++] = (struct weft_policy_pair){ text, equals + 1 };
	return true;
}

static bool set(struct policy_options *o, const struct args *a, const char *name)
{
	const struct {
		const char *name;
		const char **to;
	} texts[] = {
		{ "-o", &o->output },
		{ "--symbol", &o->symbol },
		{ "--depfile", &o->depfile },
		{ "--tls", &o->tls },
		{ "--plugin-dir", &o->plugin_dir },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!strcmp(name, texts[i].name)) {
			*texts[i].to = a->value;
			return true;
		}
	}
	if (!strcmp(name, "--json"))
		return o->json = true;
	if (!strcmp(name, "--metadata"))
		return add_metadata(o, (char *)(uintptr_t)a->value);
	if (o->file_count == sizeof(o->files) / sizeof(o->files[0])) {
		fprintf(stderr, "weft policy: too many files\n");
		return false;
	}
	o->files[o->file_count++] = a->value;
	return true;
}

static const struct command *find_command(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strlen(commands[i].name) == len && !memcmp(commands[i].name, name, len))
			return &commands[i];
	}
	return NULL;
}

/* Whether it is an option of the command, or of all: the help of one that is of one alone begins with its name. */
static bool fits(const struct command *command, const char *option)
{
	const struct command *owner = NULL;

	for (const struct option_spec *o = options; o->name; o++) {
		if (!strcmp(o->name, option) && strchr(o->help, ':'))
			owner = find_command(o->help, strcspn(o->help, ":"));
	}
	if (!owner || owner == command)
		return true;
	fprintf(stderr, "weft policy %s: %s is an option of weft policy %s\n", command->name,
		option, owner->name);
	return false;
}

int policy_main(int argc, char **argv)
{
	struct policy_options o = { .output = NULL };
	struct args a = { argc, 2, argv, options, "policy", NULL };
	const char *name, *word = argc > 1 ? argv[1] : "";
	const struct command *command = find_command(word, strlen(word));
	bool bad = false;

	if (!strcmp(word, "--help")) {
		help();
		return 0;
	}
	if (!command) {
		fprintf(stderr, "weft policy: no command \"%s\"; see weft policy --help\n", word);
		return EXIT_USAGE;
	}
	while (!bad && (name = args_next(&a, &bad))) {
		if (!strcmp(name, "--help")) {
			help();
			return 0;
		}
		bad = !fits(command, name) || !set(&o, &a, name);
	}
	if (bad)
		return EXIT_USAGE;
	if (o.file_count >= command->least && o.file_count <= command->most)
		return command->run(&o);
	fprintf(stderr, "weft policy %s: expected %s\n", command->name, command->operands);
	return EXIT_USAGE;
}

int policy_schema(const struct policy_options *o)
{
	struct weft_registry *registry;
	struct weft_error err;
	char *text = NULL;
	int rc = EXIT_SOME_FAILED;

	if (weft_registry_create(o->plugin_dir, &registry, &err)) {
		fprintf(stderr, "weft policy: %s\n", err.text);
		return EXIT_SOME_FAILED;
	}
	if (weft_policy_schema(registry, &text, &err))
		fprintf(stderr, "weft policy: %s\n", err.text);
	else
		rc = puts(text) < 0 ? EXIT_SOME_FAILED : 0;
	weft_registry_release(registry);
	free(text);
	return rc;
}

/* ---- loading ---- */

/* Warnings are for those who count them. */
struct telling {
	struct policy_problems count;
	bool all;
};

static void tell(void *user, const struct weft_policy_problem *p)
{
	struct telling *t = user;

	if (p->warning)
		t->count.warnings++;
	else
		t->count.errors++;
	if (p->warning && !t->all)
		return;
	fprintf(stderr, "%s:%u:%u: %s%s%s%s\n", p->file, p->line, p->column,
		p->warning ? "warning: " : "", p->path, p->path[0] ? ": " : "", p->text);
}

const struct weft_policy *policy_read(const struct policy_options *o, const char *file,
	bool for_static, struct policy_problems *count)
{
	struct telling telling = { .all = count };
	struct weft_policy_load_options load = {
		.size = sizeof(load),
		.tls = o->tls,
		.for_static = for_static,
		.tell = tell,
		.user = &telling,
	};
	const struct weft_policy *policy = NULL;
	struct weft_error err;
	enum weft_status st = weft_registry_create(o->plugin_dir, &load.registry, &err);

	if (st == WEFT_OK)
		st = weft_policy_load(file, &load, &policy, &err);
	weft_registry_release(load.registry);
	/* what is wrong within it was told already, with its place */
	if (st && !telling.count.errors) {
		fprintf(stderr, "weft policy: %s\n", err.text);
		telling.count.errors = 1;
	}
	if (count)
		*count = telling.count;
	return policy;
}

struct weft_context *policy_context(const struct policy_options *o)
{
	const struct weft_context_options options_ = {
		.tls = o->tls,
		.plugin_dir = o->plugin_dir,
		.log_level = WEFT_LOG_ERROR,
	};
	struct weft_context *ctx;
	struct weft_error err;

	if (weft_context_create(&options_, &ctx, &err) == WEFT_OK)
		return ctx;
	fprintf(stderr, "weft policy: %s\n", err.text);
	return NULL;
}
