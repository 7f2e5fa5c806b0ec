/* SPDX-License-Identifier: MIT */
/* What any event loop must do. */
#include <stdio.h>
#include <string.h>

#include "tests/contract/event_world.h"
#include "weft/plugin/plugin.h"

#ifdef WEFT_HAVE_EVENT_POLL
extern const struct weft_plugin weft_plugin_event_poll;
#endif
#ifdef WEFT_HAVE_EVENT_LIBEVENT
extern const struct weft_plugin weft_plugin_event_libevent;
#endif

enum { TESTS_MAX = 32 };

static void refuses_what_it_cannot_adopt(void **state)
{
	const struct event_setting *setting = *state;
	struct weft_event_options o = { .size = sizeof(o), .alloc = &weft_allocator_system };
	struct weft_error err;
	void *loop;

	o.foreign = &o;
	assert_int_equal(setting->ops->create(&o, &loop, &err), WEFT_ERR_UNSUPPORTED);
	assert_int_equal(err.status, WEFT_ERR_UNSUPPORTED);
	assert_non_null(strstr(err.text, setting->name));
}

static const struct CMUnitTest refuse_tests[] = {
	cmocka_unit_test(refuses_what_it_cannot_adopt),
};

static int run(const char *what, const struct CMUnitTest *tests, size_t count,
	const struct event_setting *setting)
{
	struct CMUnitTest copy[TESTS_MAX];
	char name[64];

	if (count > TESTS_MAX)
		return 1;
	memcpy(copy, tests, count * sizeof(*tests));
	for (size_t i = 0; i < count; i++)
		copy[i].initial_state = (void *)(uintptr_t)setting;
	snprintf(name, sizeof(name), "%s: %s", setting->name, what);
	return _cmocka_run_group_tests(name, copy, count, NULL, NULL);
}

int main(void)
{
	static const struct weft_plugin *const plugins[] = {
#ifdef WEFT_HAVE_EVENT_POLL
		&weft_plugin_event_poll,
#endif
#ifdef WEFT_HAVE_EVENT_LIBEVENT
		&weft_plugin_event_libevent,
#endif
		NULL,
	};
	int failed = 0;

	for (size_t i = 0; plugins[i]; i++) {
		struct event_setting setting = { plugins[i]->name, plugins[i]->event };

		failed += run("ready", event_ready_tests, event_ready_count, &setting);
		failed += run("time", event_time_tests, event_time_count, &setting);
		if (!(setting.ops->caps & WEFT_EVENT_CAN_ADOPT))
			failed += run("adopt", refuse_tests, 1, &setting);
		else if (!strcmp(setting.name, "libevent"))
			failed += run("adopt", event_adopt_tests, event_adopt_count, &setting);
	}
	return failed;
}
