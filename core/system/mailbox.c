/* SPDX-License-Identifier: MIT */
/*
 * A process-wide table from ids to mailboxes: the only thing that contexts share. Posts are rare, so
 * one lock serves them all; it is never held while somebody's function runs.
 */
#include "core/system/mailbox.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "core/system/threads.h"

struct post {
	struct post *next;
	void (*fn)(void *arg);
	void (*in)(struct weft_context *ctx, void *arg); /* instead of fn */
	void *arg;
	void (*drop)(void *arg);
};

struct weft_mailbox {
	const struct weft_allocator *alloc;
	struct weft_loop *loop;
	struct weft_mailbox *next; /* in the bucket */
	uint64_t id;
	struct post *first, **last;
	atomic_bool full; /* so that a turn without posts takes no lock */
};

enum { BUCKETS = 64 };

static struct weft_mailbox *buckets[BUCKETS];
static uint64_t last_id;

enum weft_status weft_mailbox_open(struct weft_loop *loop, const struct weft_allocator *alloc,
	struct weft_mailbox **out, uint64_t *id, struct weft_error *err)
{
	struct weft_mailbox *m = weft_zalloc(alloc, sizeof(*m));

	if (!m)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a mailbox");
	m->alloc = alloc;
	m->loop = loop;
	m->last = &m->first;
	weft_process_lock();
	m->id = *id = ++last_id;
	m->next = buckets[m->id % BUCKETS];
	buckets[m->id % BUCKETS] = m;
	weft_process_unlock();
	*out = m;
	return WEFT_OK;
}

static struct weft_mailbox **find(uint64_t id)
{
	struct weft_mailbox **at = &buckets[id % BUCKETS];

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	return at;
}

void weft_mailbox_close(struct weft_mailbox *m, uint64_t id)
{
	struct post *p;

	if (!m)
		return;
	weft_process_lock();
	*find(id) = m->next;
	weft_process_unlock();
	while ((p = m->first)) {
		m->first = p->next;
		if (p->drop)
			p->drop(p->arg);
		free(p);
	}
	weft_free(m->alloc, m, sizeof(*m));
}

void weft_mailbox_run(struct weft_mailbox *m, struct weft_context *ctx)
{
	struct post *list, *p;

	if (!atomic_exchange_explicit(&m->full, false, memory_order_acquire))
		return;
	weft_process_lock();
	list = m->first;
	m->first = NULL;
	m->last = &m->first;
	weft_process_unlock();
	while ((p = list)) {
		list = p->next;
		if (p->in)
			p->in(ctx, p->arg);
		else
			p->fn(p->arg);
		free(p);
	}
}

static enum weft_status send(uint64_t context_id, const struct post *content)
{
	/* not the context's allocator: this is another thread */
	struct post *p = malloc(sizeof(*p));
	struct weft_mailbox *m;

	if (!p)
		return WEFT_ERR_MEMORY;
	*p = *content;
	weft_process_lock();
	m = *find(context_id);
	if (m) {
		*m->last = p;
		m->last = &p->next;
		atomic_store_explicit(&m->full, true, memory_order_release);
		m->loop->ops->wake(m->loop->state);
	}
	weft_process_unlock();
	if (!m) {
		free(p);
		return WEFT_EOF;
	}
	return WEFT_OK;
}

enum weft_status weft_post(
	uint64_t context_id, void (*fn)(void *arg), void *arg, void (*drop)(void *arg))
{
	return send(context_id, &(struct post){ .fn = fn, .arg = arg, .drop = drop });
}

enum weft_status weft_mailbox_post(uint64_t context_id,
	void (*fn)(struct weft_context *ctx, void *arg), void *arg, void (*drop)(void *arg))
{
	return send(context_id, &(struct post){ .in = fn, .arg = arg, .drop = drop });
}
