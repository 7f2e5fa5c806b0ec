/* SPDX-License-Identifier: MIT */
/*
 * c-ares over the loop: its sockets are watched while it has some, its next timeout is a timer. Its
 * callbacks may come from within any call into it, so answers are kept and delivered by a timer.
 */
#include "core/net/resolve.h"

#include <ares.h>
#include <string.h>

#include "core/base/list.h"
#include "core/net/sockaddr.h"
#include "core/system/threads.h"

enum { ADDRESSES_MAX = 32 };

struct socket_watch {
	struct weft_list node;
	struct weft_resolver *resolver;
	struct weft_watch watch;
	ares_socket_t fd;
};

struct query {
	struct weft_list node; /* of the resolver's */
	struct weft_resolver *resolver;
	struct weft_timer timer; /* delivers */
	weft_resolved_fn fn;     /* NULL: cancelled */
	void *user;
	char host[256];
	uint16_t port;
	bool with_ares; /* c-ares will call back */
	enum weft_status status;
	struct weft_error err;
	size_t count;
	struct weft_address addresses[ADDRESSES_MAX];
};

struct weft_resolver {
	struct weft_loop *loop;
	const struct weft_allocator *alloc;
	ares_channel channel;
	struct weft_timer timer;
	struct weft_list watches, queries;
	size_t waiting; /* queries that c-ares has */
};

/* Once in a process. */
static int init_library(void)
{
	static bool done;
	static int status;
	int result;

	weft_process_lock();
	if (!done)
		status = ares_library_init(ARES_LIB_INIT_ALL);
	done = true;
	result = status;
	weft_process_unlock();
	return result;
}

/* ---- c-ares' sockets and timeouts ---- */

static void schedule(struct weft_resolver *r);

static void socket_ready(struct weft_watch *watch, unsigned events)
{
	struct socket_watch *w = weft_container_of(watch, struct socket_watch, watch);
	struct weft_resolver *r = w->resolver;
	ares_socket_t fd = w->fd;
	bool read = events & (WEFT_EVENT_READ | WEFT_EVENT_ERROR);
	bool write = events & WEFT_EVENT_WRITE;

	ares_process_fd(r->channel, read ? fd : ARES_SOCKET_BAD, write ? fd : ARES_SOCKET_BAD);
	schedule(r);
}

static struct socket_watch *find_watch(struct weft_resolver *r, ares_socket_t fd)
{
	weft_list_each(node, &r->watches)
	{
		struct socket_watch *w = weft_container_of(node, struct socket_watch, node);

		if (w->fd == fd)
			return w;
	}
	return NULL;
}

static void drop_watch(struct socket_watch *w)
{
	weft_loop_unwatch(w->resolver->loop, &w->watch);
	weft_list_remove(&w->node);
	weft_free(w->resolver->alloc, w, sizeof(*w));
}

static void socket_state(void *user, ares_socket_t fd, int readable, int writable)
{
	struct weft_resolver *r = user;
	struct socket_watch *w = find_watch(r, fd);
	unsigned interest = (readable ? (unsigned)WEFT_EVENT_READ : 0) |
			    (writable ? (unsigned)WEFT_EVENT_WRITE : 0);

	if (!interest) {
		if (w)
			drop_watch(w);
		return;
	}
	if (w) {
		weft_loop_interest(r->loop, &w->watch, interest);
		return;
	}
	w = weft_zalloc(r->alloc, sizeof(*w));
	if (!w)
		return; /* the query's timeout ends it */
	w->resolver = r;
	w->fd = fd;
	weft_list_append(&r->watches, &w->node);
	if (weft_loop_watch(r->loop, &w->watch, fd, interest, socket_ready, NULL))
		drop_watch(w);
}

static void time_passed(struct weft_timer *timer, void *user)
{
	struct weft_resolver *r = user;

	(void)timer;
	ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	schedule(r);
}

static void schedule(struct weft_resolver *r)
{
	struct timeval tv, *next;

	next = r->waiting ? ares_timeout(r->channel, NULL, &tv) : NULL;
	if (!next) {
		weft_loop_timer_cancel(r->loop, &r->timer);
		return;
	}
	weft_loop_timer_cancel(r->loop, &r->timer);
	/* a little late rather than early, or c-ares finds nothing due */
	weft_loop_timer(r->loop, &r->timer,
		weft_loop_now(r->loop) + (uint64_t)next->tv_sec * 1000000 +
			(uint64_t)next->tv_usec + 1000,
		time_passed, r);
}

/* ---- queries ---- */

static void free_query(struct query *q)
{
	weft_loop_timer_cancel(q->resolver->loop, &q->timer);
	weft_list_remove(&q->node);
	weft_free(q->resolver->alloc, q, sizeof(*q));
}

static void deliver(struct weft_timer *timer, void *user)
{
	struct query *q = user;
	struct query answer = *q;

	(void)timer;
	free_query(q);
	answer.fn(answer.user, answer.status, answer.addresses, answer.count, &answer.err);
}

static void deliver_soon(struct query *q)
{
	weft_loop_timer(q->resolver->loop, &q->timer, 0, deliver, q);
}

static void add_address(struct query *q, const struct sockaddr *sa, socklen_t len)
{
	union weft_sockaddr copy;

	if (q->count == ADDRESSES_MAX || len > sizeof(copy))
		return;
	memset(&copy, 0, sizeof(copy));
	memcpy(&copy, sa, len);
	weft_sockaddr_to(&copy, len, &q->addresses[q->count]);
	q->addresses[q->count].port = q->port;
	if (q->addresses[q->count].family != WEFT_FAMILY_NONE)
		q->count++;
}

static void answered(void *user, int status, int timeouts, struct ares_addrinfo *info)
{
	struct query *q = user;

	(void)timeouts;
	q->with_ares = false;
	q->resolver->waiting--;
	for (struct ares_addrinfo_node *n = info ? info->nodes : NULL; n; n = n->ai_next)
		add_address(q, n->ai_addr, (socklen_t)n->ai_addrlen);
	if (info)
		ares_freeaddrinfo(info);
	if (!q->fn) {
		free_query(q);
		return;
	}
	if (status != ARES_SUCCESS || !q->count)
		q->status = weft_error_set(&q->err, WEFT_ERR_RESOLVE, status,
			"the name \"%s\" has no address: %s", q->host, ares_strerror(status));
	deliver_soon(q);
}

/* RFC 6761 section 6.3: never asks anybody. */
static bool is_localhost(const char *host)
{
	size_t len = strlen(host);

	if (len && host[len - 1] == '.')
		len--;
	return len >= 9 && !strncasecmp(host + len - 9, "localhost", 9) &&
	       (len == 9 || host[len - 10] == '.');
}

static void answer_localhost(struct query *q)
{
	if (weft_address_parse("127.0.0.1", q->port, &q->addresses[0], NULL) == WEFT_OK &&
		weft_address_parse("::1", q->port, &q->addresses[1], NULL) == WEFT_OK)
		q->count = 2;
	deliver_soon(q);
}

enum weft_status weft_resolve(struct weft_resolver *r, const char *host, uint16_t port,
	weft_resolved_fn fn, void *user, void **query, struct weft_error *err)
{
	static const struct ares_addrinfo_hints hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
	};
	struct query *q;

	if (strlen(host) >= sizeof(q->host))
		return weft_error_set(
			err, WEFT_ERR_RESOLVE, 0, "\"%.60s...\" is too long for a name", host);
	q = weft_zalloc(r->alloc, sizeof(*q));
	if (!q)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory to resolve %s", host);
	q->resolver = r;
	q->fn = fn;
	q->user = user;
	q->port = port;
	strcpy(q->host, host);
	weft_list_append(&r->queries, &q->node);
	*query = q;
	if (is_localhost(host)) {
		answer_localhost(q);
		return WEFT_OK;
	}
	q->with_ares = true;
	r->waiting++;
	ares_getaddrinfo(r->channel, host, NULL, &hints, answered, q);
	schedule(r);
	return WEFT_OK;
}

void weft_resolve_cancel(struct weft_resolver *r, void *query)
{
	struct query *q = query;

	(void)r;
	if (q->with_ares)
		q->fn = NULL; /* c-ares cannot cancel one query: its answer is dropped */
	else
		free_query(q);
}

enum weft_status weft_resolver_servers(
	struct weft_resolver *r, const char *servers, struct weft_error *err)
{
	int status = ares_set_servers_ports_csv(r->channel, servers);

	return status == ARES_SUCCESS
		       ? WEFT_OK
		       : weft_error_set(err, WEFT_ERR_ARGUMENT, status, "DNS servers \"%s\": %s",
				 servers, ares_strerror(status));
}

void weft_resolver_destroy(struct weft_resolver *r)
{
	if (!r)
		return;
	weft_list_each(node, &r->queries) weft_container_of(node, struct query, node)->fn = NULL;
	ares_destroy(r->channel); /* calls back for what is under way */
	while (!weft_list_empty(&r->queries))
		free_query(weft_container_of(r->queries.next, struct query, node));
	while (!weft_list_empty(&r->watches))
		drop_watch(weft_container_of(r->watches.next, struct socket_watch, node));
	weft_loop_timer_cancel(r->loop, &r->timer);
	weft_free(r->alloc, r, sizeof(*r));
}

enum weft_status weft_resolver_create(struct weft_loop *loop, const struct weft_allocator *alloc,
	struct weft_resolver **out, struct weft_error *err)
{
	struct ares_options options = {
		.sock_state_cb = socket_state, .timeout = 3000, .tries = 3
	};
	struct weft_resolver *r;
	int status;

	status = init_library();
	if (status != ARES_SUCCESS)
		return weft_error_set(
			err, WEFT_ERR_RESOLVE, status, "c-ares: %s", ares_strerror(status));
	r = weft_zalloc(alloc, sizeof(*r));
	if (!r)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a resolver");
	r->loop = loop;
	r->alloc = alloc;
	weft_list_init(&r->watches);
	weft_list_init(&r->queries);
	options.sock_state_cb_data = r;
	status = ares_init_options(&r->channel, &options,
		ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
	if (status != ARES_SUCCESS) {
		weft_free(alloc, r, sizeof(*r));
		return weft_error_set(
			err, WEFT_ERR_RESOLVE, status, "c-ares: %s", ares_strerror(status));
	}
	*out = r;
	return WEFT_OK;
}
