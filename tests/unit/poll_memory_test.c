/* SPDX-License-Identifier: MIT */
/* The poll loop asks for memory when a socket is watched, and never later: a change of interest cannot fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/plugin/registry.h"
#include "weft/plugin/event.h"

enum { SOCKETS = 100 };

static bool no_memory;

static void *resize(void *user, void *ptr, size_t old_len, size_t new_len)
{
	(void)user;
	return new_len && no_memory ? NULL
				    : weft_allocator_system.resize(NULL, ptr, old_len, new_len);
}

static const struct weft_allocator alloc = { .resize = resize };

static unsigned readies;

static void ready(void *user, void *watch_user, unsigned events)
{
	(void)user;
	(void)watch_user;
	readies += (events & WEFT_EVENT_WRITE) != 0;
}

static void tick(void *user)
{
	(void)user;
}

static void interest_needs_no_memory(void **state)
{
	const struct weft_event_options options = {
		.size = sizeof(options), .alloc = &alloc, .host = { .ready = ready, .tick = tick }
	};
	const struct weft_plugin *plugin;
	struct weft_registry *registry;
	const struct weft_event_ops *ops;
	void *loop, *watches[SOCKETS];
	int socks[SOCKETS];

	(void)state;
	assert_int_equal(weft_registry_create(NULL, &registry, NULL), WEFT_OK);
	assert_int_equal(
		weft_registry_find(registry, WEFT_PLUGIN_EVENT, "poll", &plugin, NULL), WEFT_OK);
	ops = plugin->event;
	assert_int_equal(ops->create(&options, &loop, NULL), WEFT_OK);
	for (int i = 0; i < SOCKETS; i++) {
		socks[i] = socket(AF_INET, SOCK_DGRAM, 0);
		assert_true(socks[i] >= 0);
		assert_int_equal(ops->watch(loop, socks[i], 0, NULL, &watches[i], NULL), WEFT_OK);
	}
	no_memory = true;
	for (int i = 0; i < SOCKETS; i++)
		assert_int_equal(ops->interest(loop, watches[i], WEFT_EVENT_WRITE), WEFT_OK);
	ops->wake(loop);
	assert_int_equal(ops->run(loop, NULL), WEFT_OK);
	assert_int_equal(readies, SOCKETS);
	no_memory = false;
	for (int i = 0; i < SOCKETS; i++) {
		ops->unwatch(loop, watches[i]);
		close(socks[i]);
	}
	ops->destroy(loop);
	weft_registry_release(registry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interest_needs_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
