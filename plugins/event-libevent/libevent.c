/* SPDX-License-Identifier: MIT */
/*
 * An event loop on libevent: a base of its own, or the application's. The end of a turn is an event that
 * the first report of a turn activates: it runs after all others that were ready then.
 */
#include <errno.h>
#include <event2/event-config.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "weft/plugin/event.h"
#include "weft/plugin/plugin.h"

struct watch {
	struct event event; /* embedded: no allocation of libevent's per watch */
	struct loop *loop;
	void *user;
	int fd;
	unsigned char interest;
	bool added;
};

struct loop {
	const struct weft_allocator *alloc;
	struct weft_event_host host;
	struct event_base *base;
	struct event end; /* of a turn */
	struct event deadline;
	struct event wake;
	uint64_t deadline_us;
	int wake_fd;
	bool adopted;
	bool end_due;
	bool *destroyed; /* set when destroy is called while run is on the stack */
};

static void end_turn(struct loop *l)
{
	if (l->end_due)
		return;
	l->end_due = true;
	event_active(&l->end, EV_TIMEOUT, 1);
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;

	(void)fd;
	(void)what;
	l->end_due = false;
	l->host.tick(l->host.user); /* may destroy the loop */
}

static void arm_deadline(struct loop *l)
{
	uint64_t now = l->deadline_us ? weft_net_posix.now(NULL) : 0;
	uint64_t left = l->deadline_us > now ? l->deadline_us - now : 0;
	struct timeval tv = {
		.tv_sec = (time_t)(left / 1000000),
		.tv_usec = (suseconds_t)(left % 1000000),
	};

	event_add(&l->deadline, &tv);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;

	(void)fd;
	(void)what;
	/* it holds until it is replaced; and libevent's coarse clock may be early by some milliseconds */
	arm_deadline(l);
	end_turn(l);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	uint64_t count;

	(void)what;
	while (read(fd, &count, sizeof(count)) > 0) {
	}
	end_turn(l);
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;
	struct loop *l = w->loop;
	unsigned events = 0;

	(void)fd;
	end_turn(l);
	if (what & EV_READ)
		events |= WEFT_EVENT_READ;
	if (what & EV_WRITE)
		events |= WEFT_EVENT_WRITE;
	l->host.ready(l->host.user, w->user, events);
}

static void loop_destroy(void *loop)
{
	struct loop *l = loop;

	if (l->destroyed)
		*l->destroyed = true;
	event_del(&l->end);
	event_del(&l->deadline);
	event_del(&l->wake);
	close(l->wake_fd);
	/* inside its own loop the base is still in use: run frees it */
	if (!l->adopted && !l->destroyed)
		event_base_free(l->base);
	weft_free(l->alloc, l, sizeof(*l));
}

static enum weft_status loop_create(
	const struct weft_event_options *options, void **loop, struct weft_error *err)
{
	struct loop *l = weft_zalloc(options->alloc, sizeof(*l));

	if (!l)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for an event loop");
	l->alloc = options->alloc;
	l->host = options->host;
	l->adopted = options->foreign != NULL;
	l->deadline_us = WEFT_NEVER;
	l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (l->wake_fd < 0) {
		weft_error_errno(err, errno, "eventfd");
		weft_free(options->alloc, l, sizeof(*l));
		return err ? err->status : WEFT_ERR_IO;
	}
	l->base = l->adopted ? options->foreign : event_base_new();
	if (!l->base) {
		close(l->wake_fd);
		weft_free(options->alloc, l, sizeof(*l));
		return weft_error_set(err, WEFT_ERR_IO, 0, "libevent has no usable method here");
	}
	event_assign(&l->end, l->base, -1, 0, on_end, l);
	event_assign(&l->deadline, l->base, -1, 0, on_deadline, l);
	event_assign(&l->wake, l->base, l->wake_fd, EV_READ | EV_PERSIST, on_wake, l);
	if (event_add(&l->wake, NULL)) {
		loop_destroy(l);
		return weft_error_set(err, WEFT_ERR_IO, 0, "libevent would not watch the wake-up");
	}
	*loop = l;
	return WEFT_OK;
}

static int apply(struct watch *w)
{
	short what = (short)(EV_PERSIST | (w->interest & WEFT_EVENT_READ ? EV_READ : 0) |
			     (w->interest & WEFT_EVENT_WRITE ? EV_WRITE : 0));

	if (w->added)
		event_del(&w->event);
	w->added = false;
	if (!w->interest)
		return 0;
	event_assign(&w->event, w->loop->base, w->fd, what, on_ready, w);
	if (event_add(&w->event, NULL))
		return -1;
	w->added = true;
	return 0;
}

static void loop_unwatch(void *loop, void *watch)
{
	struct loop *l = loop;
	struct watch *w = watch;

	if (w->added)
		event_del(&w->event);
	weft_free(l->alloc, w, sizeof(*w));
}

static enum weft_status loop_watch(void *loop, weft_socket sock, unsigned interest,
	void *watch_user, void **watch, struct weft_error *err)
{
	struct loop *l = loop;
	struct watch *w = weft_zalloc(l->alloc, sizeof(*w));

	if (!w)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory to watch a socket");
	w->loop = l;
	w->fd = (int)sock;
	w->user = watch_user;
	w->interest = (unsigned char)interest;
	if (apply(w)) {
		loop_unwatch(l, w);
		return weft_error_errno(err, errno, "libevent would not watch the socket");
	}
	*watch = w;
	return WEFT_OK;
}

static enum weft_status loop_interest(void *loop, void *watch, unsigned interest)
{
	struct watch *w = watch;

	(void)loop;
	if (w->interest == interest)
		return WEFT_OK;
	w->interest = (unsigned char)interest;
	return apply(w) ? WEFT_ERR_IO : WEFT_OK;
}

static void loop_deadline(void *loop, uint64_t deadline_us)
{
	struct loop *l = loop;

	if (deadline_us == l->deadline_us)
		return;
	l->deadline_us = deadline_us;
	if (deadline_us == WEFT_NEVER)
		event_del(&l->deadline);
	else
		arm_deadline(l);
}

static void loop_wake(void *loop)
{
	static const uint64_t one = 1;
	int saved = errno;

	/* a full counter wakes as well */
	if (write(((struct loop *)loop)->wake_fd, &one, sizeof(one)) < 0)
		errno = saved;
}

static enum weft_status loop_run(void *loop, struct weft_error *err)
{
	struct loop *l = loop;
	struct event_base *base = l->base;
	bool destroyed = false;
	int n;

	if (l->adopted)
		return weft_error_set(err, WEFT_ERR_STATE, 0, "the base is the application's");
	l->destroyed = &destroyed;
	n = event_base_loop(base, EVLOOP_ONCE);
	if (destroyed) {
		event_base_free(base);
		return WEFT_OK;
	}
	l->destroyed = NULL;
	return n < 0 ? weft_error_errno(err, errno, "event_base_loop") : WEFT_OK;
}

static const struct weft_event_ops ops = {
	.size = sizeof(ops),
	.caps = WEFT_EVENT_CAN_ADOPT,
	.create = loop_create,
	.destroy = loop_destroy,
	.watch = loop_watch,
	.interest = loop_interest,
	.unwatch = loop_unwatch,
	.deadline = loop_deadline,
	.wake = loop_wake,
	.run = loop_run,
};

WEFT_PLUGIN_DEFINE(event_libevent) = {
	WEFT_PLUGIN_HEAD,
	.kind = WEFT_PLUGIN_EVENT,
	.name = "libevent",
	.version = WEFT_VERSION " (libevent " EVENT__VERSION ")",
	.event = &ops,
};
