/* SPDX-License-Identifier: MIT */
/*
 * A stranger's good module (tests/support/goodplugins) is registered, held and serves; and what a plugin
 * directory is looked into for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/plugin/registry.h"
#include "tests/support/folder.h"
#include "weft/context.h"
#include "weft/vhost.h"

#define SHOUT WEFT_TEST_MODULE_DIR "/role-shout.so"

enum { TURNS_MAX = 2000 };

static struct weft_registry *make(const char *plugin_dir)
{
	struct weft_registry *r = NULL;
	struct weft_error err;

	if (weft_registry_create(plugin_dir, &r, &err))
		fail_msg("%s", err.text);
	return r;
}

static size_t count(const struct weft_registry *r)
{
	struct weft_plugin_info info;
	size_t n = 0;

	while (weft_registry_info(r, n, &info))
		n++;
	return n;
}

/* ---- a good one ---- */

static void good_module_is_registered(void **state)
{
	struct weft_registry *r = make(NULL);
	size_t before = count(r);
	struct weft_plugin_info info;
	struct weft_error err;

	(void)state;
	assert_int_equal(weft_registry_load(r, SHOUT, &err), WEFT_OK);
	assert_int_equal(count(r), before + 1);
	assert_true(weft_registry_info(r, before, &info));
	assert_string_equal(info.kind, "role");
	assert_string_equal(info.name, "shout");
	assert_string_equal(info.version, "7.1");
	assert_string_equal(info.file, SHOUT);
	assert_int_equal(info.abi, WEFT_PLUGIN_ABI);
	assert_string_equal(info.caps[0], "server");
	assert_null(info.caps[1]);
	weft_registry_release(r);
}

static void good_module_is_registered_once(void **state)
{
	struct weft_registry *r = make(NULL);
	struct weft_error err;

	(void)state;
	assert_int_equal(weft_registry_load(r, SHOUT, &err), WEFT_OK);
	assert_int_equal(weft_registry_load(r, SHOUT, &err), WEFT_ERR_EXISTS);
	assert_non_null(strstr(err.text, "role-shout.so"));
	weft_registry_release(r);
}

static bool is_loaded(const char *path)
{
	void *module = dlopen(path, RTLD_NOW | RTLD_NOLOAD);

	if (module)
		dlclose(module);
	return module;
}

static void module_stays_until_the_last_reference_goes(void **state)
{
	struct weft_registry *r = make(NULL);
	struct weft_error err;

	(void)state;
	assert_int_equal(weft_registry_load(r, SHOUT, &err), WEFT_OK);
	weft_registry_ref(r);
	weft_registry_release(r);
	assert_true(is_loaded(SHOUT));
	weft_registry_release(r);
	assert_false(is_loaded(SHOUT));
}

static void unloading_is_refused_while_a_context_lives(void **state)
{
	const struct weft_context_options o = { .event = "poll", .tls = "none" };
	struct weft_context_options with = o;
	struct weft_context *ctx;
	struct weft_error err;

	(void)state;
	with.registry = make(NULL);
	assert_int_equal(weft_registry_load(with.registry, SHOUT, &err), WEFT_OK);
	assert_int_equal(weft_context_create(&with, &ctx, &err), WEFT_OK);
	assert_int_equal(
		weft_registry_unload(with.registry, "role", "shout", &err), WEFT_ERR_STATE);
	assert_non_null(strstr(err.text, "destroy the contexts that use it first"));
	assert_true(is_loaded(SHOUT));
	weft_context_destroy(ctx, 0, NULL, NULL);
	assert_int_equal(weft_registry_unload(with.registry, "role", "shout", &err), WEFT_OK);
	assert_false(is_loaded(SHOUT));
	assert_int_equal(
		weft_registry_unload(with.registry, "role", "shout", &err), WEFT_ERR_NOT_FOUND);
	assert_int_equal(
		weft_registry_unload(with.registry, "role", "raw", &err), WEFT_ERR_UNSUPPORTED);
	weft_registry_release(with.registry);
}

static size_t echo_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)user;
	return weft_stream_write(s, bytes, len);
}

static void echo_writable(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_resume(s);
}

static void echo_end(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_finish(s);
}

static void echo_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	*(enum weft_status *)user = why->status;
}

static const struct weft_stream_ops echo_ops = {
	.on_data = echo_data,
	.on_writable = echo_writable,
	.on_end = echo_end,
	.on_close = echo_close,
};

static enum weft_status echo(struct weft_stream *s, void *user)
{
	weft_stream_set_ops(s, &echo_ops, user);
	return WEFT_OK;
}

static int dial(const struct weft_vhost *vh)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char url[64];

	assert_int_equal(weft_vhost_listener(vh, 0, url, sizeof(url)), WEFT_OK);
	assert_memory_equal(url, "shout://", 8);
	to.sin_port = htons((uint16_t)atoi(strrchr(url, ':') + 1));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(sock, (struct sockaddr *)&to, sizeof(to)), 0);
	return sock;
}

/* Turns until the peer's end came; what came before is in out, terminated. */
static void receive_all(struct weft_context *ctx, int sock, char *out, size_t room)
{
	size_t len = 0;
	ssize_t n = -1;

	for (unsigned i = 0; n && i < TURNS_MAX; i++) {
		assert_true(weft_context_turn(ctx, 5) >= 0);
		while ((n = recv(sock, out + len, room - 1 - len, MSG_DONTWAIT)) > 0)
			len += (size_t)n;
	}
	assert_int_equal(n, 0);
	out[len] = '\0';
}

/* A context of r's serves one connection by the module, and ends. */
static void use(struct weft_registry *r)
{
	enum weft_status closed = WEFT_ERR_STATE;
	const struct weft_route routes[] = { { .prefix = "", .on_request = echo, .user = &closed },
		{ .on_request = NULL } };
	struct weft_context_options options = { .tls = "none", .registry = r };
	const struct weft_vhost_options vhost = {
		.name = "echo", .listen = "shout://127.0.0.1:0", .routes = routes
	};
	struct weft_context *ctx = NULL;
	struct weft_vhost *vh = NULL;
	struct weft_error err;
	char got[64];
	int sock;

	assert_int_equal(weft_context_create(&options, &ctx, &err), WEFT_OK);
	if (weft_vhost_create(ctx, &vhost, &vh, &err))
		fail_msg("%s", err.text);
	sock = dial(vh);
	assert_int_equal(send(sock, "hello, 7", 8, MSG_NOSIGNAL), 8);
	assert_int_equal(shutdown(sock, SHUT_WR), 0);
	receive_all(ctx, sock, got, sizeof(got));
	assert_string_equal(got, "HELLO, 7");
	assert_int_equal(closed, WEFT_OK);
	close(sock);
	weft_context_destroy(ctx, 0, NULL, NULL);
}

static void good_module_serves(void **state)
{
	struct weft_registry *r = make(NULL);
	struct weft_error err;

	(void)state;
	assert_int_equal(weft_registry_load(r, SHOUT, &err), WEFT_OK);
	use(r);
	weft_registry_release(r);
}

/* The lowest descriptor that is free: it goes up if one is left open. */
static int next_descriptor(void)
{
	int fd = dup(0);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

static void a_thousand_rounds_leave_nothing(void **state)
{
	struct weft_registry *r = make(NULL);
	size_t before = count(r);
	int descriptor = next_descriptor();
	struct weft_error err;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(weft_registry_load(r, SHOUT, &err), WEFT_OK);
		use(r);
		assert_true(is_loaded(SHOUT));
		assert_int_equal(weft_registry_unload(r, "role", "shout", &err), WEFT_OK);
		assert_false(is_loaded(SHOUT));
		assert_int_equal(count(r), before);
		assert_int_equal(next_descriptor(), descriptor);
	}
	weft_registry_release(r);
}

/* ---- the plugin directory ---- */

static void relative_directory_is_refused(void **state)
{
	struct weft_registry *r = NULL;
	struct weft_error err;

	(void)state;
	assert_int_equal(weft_registry_create("modules", &r, &err), WEFT_ERR_ARGUMENT);
	assert_null(r);
	assert_non_null(strstr(err.text, "\"modules\""));
	assert_non_null(strstr(err.text, "absolute path"));
}

struct broken {
	unsigned count;
	char path[TEST_PATH_MAX];
	enum weft_status status;
};

static void on_broken(void *user, const char *path, const struct weft_error *err)
{
	struct broken *b = user;

	b->count++;
	snprintf(b->path, sizeof(b->path), "%s", path);
	b->status = err->status;
}

static void scan_reports_a_broken_file_and_goes_on(void **state)
{
	struct broken broken = { .count = 0 };
	struct weft_registry *r;
	char path[TEST_PATH_MAX];
	size_t before;

	(void)state;
	test_file_write(test_folder_path(path, "event-broken.so"), "text");
	test_file_write(test_folder_path(path, "libother.so"), "text: not called like a module");
	test_file_write(test_folder_path(path, "role-old.so.bak"), "text: neither");
	test_file_copy(SHOUT, test_folder_path(path, "role-shout.so"), SIZE_MAX);
	r = make(test_folder());
	before = count(r);
	assert_int_equal(weft_registry_scan(r, on_broken, &broken), WEFT_OK);
	assert_int_equal(count(r), before + 1);
	assert_int_equal(broken.count, 1);
	assert_string_equal(broken.path, test_folder_path(path, "event-broken.so"));
	assert_int_equal(broken.status, WEFT_ERR_PLUGIN);
	/* what is registered already is not loaded again, nor reported */
	assert_int_equal(weft_registry_scan(r, on_broken, &broken), WEFT_OK);
	assert_int_equal(count(r), before + 1);
	assert_int_equal(broken.count, 2);
	weft_registry_release(r);
}

static void scan_without_a_directory_is_fine(void **state)
{
	struct broken broken = { .count = 0 };
	struct weft_registry *r;
	char path[TEST_PATH_MAX];

	(void)state;
	r = make(test_folder_path(path, "nowhere"));
	assert_int_equal(weft_registry_scan(r, on_broken, &broken), WEFT_OK);
	assert_int_equal(broken.count, 0);
	weft_registry_release(r);
}

static void refuse_event(const char *event, enum weft_status status, const char *word)
{
	const struct weft_context_options options = { .event = event, .plugin_dir = test_folder() };
	struct weft_context *ctx = NULL;
	struct weft_error err;

	assert_int_equal(weft_context_create(&options, &ctx, &err), status);
	assert_null(ctx);
	if (!strstr(err.text, word))
		fail_msg("\"%s\" does not say \"%s\"", err.text, word);
}

static void unknown_name_says_what_there_is(void **state)
{
	(void)state;
	refuse_event("nothing", WEFT_ERR_NOT_FOUND, "no event plugin \"nothing\"; there are: poll");
}

static void broken_module_that_was_asked_for_is_an_error(void **state)
{
	char path[TEST_PATH_MAX];

	(void)state;
	test_file_write(test_folder_path(path, "event-broken.so"), "text");
	refuse_event("broken", WEFT_ERR_PLUGIN, "event-broken.so");
}

static void name_is_never_a_path(void **state)
{
	char path[TEST_PATH_MAX];

	(void)state;
	test_folder_path(path, "event-sub");
	assert_int_equal(mkdir(path, 0700), 0);
	test_file_write(
		test_folder_path(path, "event-sub/x.so"), "text: would be PLUGIN, if it were read");
	refuse_event("sub/x", WEFT_ERR_NOT_FOUND, "sub/x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_module_is_registered),
		cmocka_unit_test(good_module_is_registered_once),
		cmocka_unit_test(module_stays_until_the_last_reference_goes),
		cmocka_unit_test(unloading_is_refused_while_a_context_lives),
		cmocka_unit_test(a_thousand_rounds_leave_nothing),
		cmocka_unit_test(good_module_serves),
		cmocka_unit_test(relative_directory_is_refused),
		cmocka_unit_test_setup_teardown(
			scan_reports_a_broken_file_and_goes_on, test_folder_make, test_folder_drop),
		cmocka_unit_test_setup_teardown(
			scan_without_a_directory_is_fine, test_folder_make, test_folder_drop),
		cmocka_unit_test_setup_teardown(
			unknown_name_says_what_there_is, test_folder_make, test_folder_drop),
		cmocka_unit_test_setup_teardown(broken_module_that_was_asked_for_is_an_error,
			test_folder_make, test_folder_drop),
		cmocka_unit_test_setup_teardown(
			name_is_never_a_path, test_folder_make, test_folder_drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
