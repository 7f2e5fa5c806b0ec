/* SPDX-License-Identifier: MIT */
/* The host and the sockets of the loop suite. */
#include "tests/contract/event_world.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void *count(void *user, void *ptr, size_t old_len, size_t new_len)
{
	struct event_world *w = user;
	void *got = NULL;

	if (new_len) {
		got = realloc(ptr, new_len);
		assert_non_null(got);
	} else {
		free(ptr);
	}
	if (new_len && !ptr)
		w->blocks++;
	else if (!new_len && ptr)
		w->blocks--;
	w->bytes += new_len - old_len;
	return got;
}

static void host_ready(void *user, void *watch_user, unsigned events)
{
	struct event_world *w = user;
	struct event_spot *s = watch_user;

	assert_false(w->in_call);
	assert_ptr_equal(s->world, w);
	assert_non_null(s->watch);
	assert_true(events);
	w->in_call = true;
	w->readies++;
	w->since_tick++;
	s->readies++;
	s->events |= events;
	if (s->on_ready)
		s->on_ready(s);
	w->in_call = false;
}

static void host_tick(void *user)
{
	struct event_world *w = user;

	assert_false(w->in_call);
	w->in_call = true;
	w->ticks++;
	w->since_tick = 0;
	if (w->on_tick)
		w->on_tick(w);
	if (w->destroy_in_tick) {
		w->ops->destroy(w->loop);
		w->loop = NULL;
	}
	w->in_call = false;
}

void event_open(struct event_world *w, const struct event_setting *setting, void *foreign)
{
	struct weft_event_options o = { .size = sizeof(o), .foreign = foreign };
	struct weft_error err;

	memset(w, 0, sizeof(*w));
	w->ops = setting->ops;
	w->alloc = (struct weft_allocator){ w, count };
	o.alloc = &w->alloc;
	o.host.user = w;
	o.host.ready = host_ready;
	o.host.tick = host_tick;
	if (w->ops->create(&o, &w->loop, &err))
		fail_msg("create: %s", err.text);
}

void event_close(struct event_world *w)
{
	if (w->loop)
		w->ops->destroy(w->loop);
	assert_int_equal(w->blocks, 0);
	assert_int_equal(w->bytes, 0);
}

uint64_t event_now(void)
{
	return weft_net_posix.now(NULL);
}

void event_run_for(struct event_world *w, unsigned ms)
{
	unsigned ticks = w->ticks;
	struct weft_error err;

	w->ops->deadline(w->loop, event_now() + ms * 1000u);
	if (w->ops->run(w->loop, &err))
		fail_msg("run: %s", err.text);
	assert_int_equal(w->ticks, ticks + 1);
	/* the tick came last */
	assert_int_equal(w->since_tick, 0);
}

void event_run(struct event_world *w)
{
	event_run_for(w, 5000);
}

void event_spot_watch(struct event_spot *s, unsigned interest)
{
	struct weft_error err;

	if (s->world->ops->watch(s->world->loop, s->ours, interest, s, &s->watch, &err))
		fail_msg("watch: %s", err.text);
	assert_non_null(s->watch);
}

void event_spot_open(struct event_spot *s, struct event_world *w, unsigned interest)
{
	int fds[2];

	memset(s, 0, sizeof(*s));
	s->world = w;
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	s->ours = fds[0];
	s->theirs = fds[1];
	if (interest != ~0u)
		event_spot_watch(s, interest);
}

void event_spot_unwatch(struct event_spot *s)
{
	s->world->ops->unwatch(s->world->loop, s->watch);
	s->watch = NULL;
}

void event_spot_close(struct event_spot *s)
{
	if (s->watch)
		event_spot_unwatch(s);
	if (s->ours >= 0)
		close(s->ours);
	if (s->theirs >= 0)
		close(s->theirs);
	s->ours = s->theirs = -1;
}

void event_spot_poke(struct event_spot *s)
{
	assert_int_equal(write(s->theirs, "x", 1), 1);
}

void event_spot_take(struct event_spot *s)
{
	char bytes[256];

	while (read(s->ours, bytes, sizeof(bytes)) > 0) {
	}
}
