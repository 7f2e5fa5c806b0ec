/* SPDX-License-Identifier: MIT */
/* An event loop on ppoll(2): a dense array for the system call, an array of watches beside it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "weft/plugin/event.h"
#include "weft/plugin/plugin.h"

struct watch {
	void *user;
	int fd;
	unsigned interest;
	size_t slot; /* in the set; NOWHERE while the interest is 0 */
	struct watch *next_free;
	struct watch *block_next; /* all ever made, for destroy */
};

#define NOWHERE SIZE_MAX

struct loop {
	const struct weft_allocator *alloc;
	struct weft_event_host host;
	struct pollfd *set; /* [0] is the wake-up */
	struct watch **owners;
	size_t count, cap;
	size_t watches; /* all of them have room in the set, so that a change of interest cannot fail */
	struct watch *all, *free; /* watches are reused, never given back before destroy */
	uint64_t deadline_us;
	int wake_fd;
	bool *destroyed; /* set when destroy is called while run is on the stack */
};

static bool grow(struct loop *l)
{
	size_t cap = l->cap ? l->cap * 2 : 16;
	struct pollfd *set;
	struct watch **owners;

	if (1 + l->watches < l->cap)
		return true;
	set = weft_alloc(l->alloc, cap * sizeof(*set));
	owners = weft_alloc(l->alloc, cap * sizeof(*owners));
	if (!set || !owners) {
		weft_free(l->alloc, set, cap * sizeof(*set));
		weft_free(l->alloc, owners, cap * sizeof(*owners));
		return false;
	}
	if (l->count) {
		memcpy(set, l->set, l->count * sizeof(*set));
		memcpy(owners, l->owners, l->count * sizeof(*owners));
	}
	weft_free(l->alloc, l->set, l->cap * sizeof(*l->set));
	weft_free(l->alloc, l->owners, l->cap * sizeof(*l->owners));
	l->set = set;
	l->owners = owners;
	l->cap = cap;
	return true;
}

static short poll_events(unsigned interest)
{
	return (short)((interest & WEFT_EVENT_READ ? POLLIN : 0) |
		       (interest & WEFT_EVENT_WRITE ? POLLOUT : 0));
}

static void leave_set(struct loop *l, struct watch *w)
{
	size_t last = l->count - 1;

	if (w->slot == NOWHERE)
		return;
	if (w->slot != last) {
		l->set[w->slot] = l->set[last];
		l->owners[w->slot] = l->owners[last];
		l->owners[w->slot]->slot = w->slot;
	}
	l->count--;
	w->slot = NOWHERE;
}

static void enter_set(struct loop *l, struct watch *w)
{
	if (w->slot == NOWHERE) {
		w->slot = l->count++;
		l->owners[w->slot] = w;
		/* what this slot reported belonged to another */
		l->set[w->slot] = (struct pollfd){ .fd = w->fd };
	}
	l->set[w->slot].events = poll_events(w->interest);
}

static void loop_destroy(void *loop)
{
	struct loop *l = loop;

	if (l->destroyed)
		*l->destroyed = true;
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	while (l->all) {
		struct watch *w = l->all;

		l->all = w->block_next;
		weft_free(l->alloc, w, sizeof(*w));
	}
	weft_free(l->alloc, l->set, l->cap * sizeof(*l->set));
	weft_free(l->alloc, l->owners, l->cap * sizeof(*l->owners));
	weft_free(l->alloc, l, sizeof(*l));
}

static enum weft_status loop_create(
	const struct weft_event_options *options, void **loop, struct weft_error *err)
{
	struct loop *l;

	if (options->foreign)
		return weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0,
			"event loop poll has nothing of the application's to adopt");
	l = weft_zalloc(options->alloc, sizeof(*l));
	if (!l)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for an event loop");
	l->alloc = options->alloc;
	l->host = options->host;
	l->deadline_us = WEFT_NEVER;
	l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (l->wake_fd < 0) {
		weft_error_errno(err, errno, "eventfd");
		loop_destroy(l);
		return err ? err->status : WEFT_ERR_IO;
	}
	if (!grow(l)) {
		loop_destroy(l);
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for an event loop");
	}
	l->set[0] = (struct pollfd){ .fd = l->wake_fd, .events = POLLIN };
	l->owners[0] = NULL;
	l->count = 1;
	*loop = l;
	return WEFT_OK;
}

static struct watch *take_watch(struct loop *l)
{
	struct watch *w = l->free;

	if (!grow(l))
		return NULL;
	if (w) {
		l->free = w->next_free;
		return w;
	}
	w = weft_zalloc(l->alloc, sizeof(*w));
	if (w) {
		w->block_next = l->all;
		l->all = w;
	}
	return w;
}

static void loop_unwatch(void *loop, void *watch)
{
	struct loop *l = loop;
	struct watch *w = watch;

	leave_set(l, w);
	l->watches--;
	w->next_free = l->free;
	l->free = w;
}

static enum weft_status loop_watch(void *loop, weft_socket sock, unsigned interest,
	void *watch_user, void **watch, struct weft_error *err)
{
	struct loop *l = loop;
	struct watch *w = take_watch(l);

	if (!w)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory to watch a socket");
	w->user = watch_user;
	w->fd = (int)sock;
	w->interest = interest;
	w->slot = NOWHERE;
	l->watches++;
	if (interest)
		enter_set(l, w);
	*watch = w;
	return WEFT_OK;
}

static enum weft_status loop_interest(void *loop, void *watch, unsigned interest)
{
	struct loop *l = loop;
	struct watch *w = watch;

	w->interest = interest;
	if (!interest) {
		leave_set(l, w);
		return WEFT_OK;
	}
	enter_set(l, w);
	return WEFT_OK;
}

static void loop_deadline(void *loop, uint64_t deadline_us)
{
	((struct loop *)loop)->deadline_us = deadline_us;
}

static void loop_wake(void *loop)
{
	static const uint64_t one = 1;
	int saved = errno;

	/* a full counter wakes as well */
	if (write(((struct loop *)loop)->wake_fd, &one, sizeof(one)) < 0)
		errno = saved;
}

/* NULL: no limit. */
static struct timespec *wait_time(const struct loop *l, struct timespec *ts)
{
	uint64_t now, left = 0;

	if (l->deadline_us == WEFT_NEVER)
		return NULL;
	if (l->deadline_us) {
		now = weft_net_posix.now(NULL);
		left = l->deadline_us > now ? l->deadline_us - now : 0;
	}
	ts->tv_sec = (time_t)(left / 1000000);
	ts->tv_nsec = (long)(left % 1000000) * 1000;
	return ts;
}

static unsigned ready_events(const struct watch *w, short revents)
{
	unsigned events = 0;

	if (revents & (POLLIN | POLLHUP))
		events |= WEFT_EVENT_READ;
	if (revents & POLLOUT)
		events |= WEFT_EVENT_WRITE;
	events &= w->interest;
	if (revents & (POLLERR | POLLHUP | POLLNVAL))
		events |= WEFT_EVENT_ERROR;
	return events;
}

/* Walks downwards: a slot that is freed gets the last one, which has been seen already. */
static void deliver(struct loop *l, int left, const bool *destroyed)
{
	size_t i = l->count;

	while (i-- > 1 && left > 0) {
		unsigned events;
		short revents;

		if (i >= l->count)
			continue;
		revents = l->set[i].revents;
		l->set[i].revents = 0;
		if (!revents)
			continue;
		left--;
		events = ready_events(l->owners[i], revents);
		if (!events)
			continue;
		l->host.ready(l->host.user, l->owners[i]->user, events);
		if (*destroyed)
			return;
	}
}

static enum weft_status loop_run(void *loop, struct weft_error *err)
{
	struct loop *l = loop;
	struct timespec ts;
	bool destroyed = false;
	uint64_t count;
	int n = ppoll(l->set, l->count, wait_time(l, &ts), NULL);

	if (n < 0 && errno != EINTR)
		return weft_error_errno(err, errno, "ppoll");
	l->destroyed = &destroyed;
	if (n > 0) {
		if (l->set[0].revents) {
			l->set[0].revents = 0;
			n--;
			while (read(l->wake_fd, &count, sizeof(count)) > 0) {
			}
		}
		deliver(l, n, &destroyed);
	}
	if (!destroyed)
		l->host.tick(l->host.user);
	if (!destroyed)
		l->destroyed = NULL;
	return WEFT_OK;
}

static const struct weft_event_ops ops = {
	.size = sizeof(ops),
	.create = loop_create,
	.destroy = loop_destroy,
	.watch = loop_watch,
	.interest = loop_interest,
	.unwatch = loop_unwatch,
	.deadline = loop_deadline,
	.wake = loop_wake,
	.run = loop_run,
};

WEFT_PLUGIN_DEFINE(event_poll) = {
	WEFT_PLUGIN_HEAD,
	.kind = WEFT_PLUGIN_EVENT,
	.name = "poll",
	.version = WEFT_VERSION,
	.event = &ops,
};
