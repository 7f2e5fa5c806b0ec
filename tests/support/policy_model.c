/* SPDX-License-Identifier: MIT */
/* The reference of a policy's vhosts. */
#include "tests/support/policy_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- DESIGN 6: it comes to life with the first reference, and goes, whole, with the last ---- */

static unsigned refs(const struct pm_vhost *v)
{
	return v->refs[PM_CONNECTION] + v->refs[PM_STREAM] + v->refs[PM_POLICY];
}

static unsigned use_of(const struct pm *m, const struct pm_wish *w)
{
	return w->who ? m->use : 0;
}

static struct pm_vhost *find(struct pm *m, unsigned content, unsigned use)
{
	for (size_t i = 0; i < PM_VHOSTS; i++) {
		struct pm_vhost *v = &m->vhosts[i];

		if (v->there && v->content == content && v->use == use)
			return v;
	}
	return NULL;
}

/* Of several who use it the one that wants more. */
static void wish(struct pm_vhost *v, const struct pm_wish *w)
{
	if (v && w->linger_s > v->linger_s)
		v->linger_s = w->linger_s;
}

static struct pm_vhost *acquire(
	struct pm *m, const struct pm_wish *w, unsigned use, enum pm_hold by)
{
	struct pm_vhost *v = find(m, w->content, use);

	if (!v) {
		for (v = m->vhosts; v->there; v++) {
			if (v == &m->vhosts[PM_VHOSTS - 1])
				abort();
		}
		memset(v, 0, sizeof(*v));
		v->there = true;
		v->content = w->content;
		v->use = use;
		snprintf(v->name, sizeof(v->name), "%s", w->store);
		m->made++;
	}
	v->lingers = false;
	wish(v, w);
	v->refs[by]++;
	return v;
}

/* NULL: there is nothing to give back. */
static void release(struct pm *m, struct pm_vhost *v, enum pm_hold by)
{
	if (!v)
		return;
	v->refs[by]--;
	if (refs(v))
		return;
	v->lingers = v->there = v->linger_s > 0;
	v->left = m->now;
}

/* ---- streams ---- */

/* Its reference goes last in the step, with let_go: others may still find the vhost there. */
static void over(struct pm *m, struct pm_stream *s, bool failed)
{
	s->open = s->running = false;
	s->failed = failed;
	s->entry = NULL;
	m->leaving = s->held;
	s->held = NULL;
}

static void let_go(struct pm *m)
{
	release(m, m->leaving, PM_STREAM);
	m->leaving = NULL;
}

/* The first who waits. */
static struct pm_stream *waiting(struct pm *m, const struct pm_entry *e)
{
	struct pm_stream *first = NULL;

	for (size_t i = 0; i < PM_STREAMS; i++) {
		struct pm_stream *s = &m->streams[i];

		if (s->open && s->entry == e && !s->running && (!first || s->id < first->id))
			first = s;
	}
	return first;
}

struct pm_stream *pm_running(struct pm *m, const struct pm_entry *e)
{
	for (size_t i = 0; i < PM_STREAMS; i++) {
		if (m->streams[i].running && m->streams[i].entry == e)
			return &m->streams[i];
	}
	return NULL;
}

/* ---- DESIGN 5: one connection for all who go the same way, one exchange at a time ---- */

static void bind(struct pm *m, struct pm_entry *e, struct pm_stream *s)
{
	struct pm_vhost *v = find(m, e->content, e->use);

	s->running = true;
	s->tries++;
	e->conn = PM_BUSY;
	e->last = s->wish;
	e->served_by = s->id;
	/* one that had let go holds again what is there anyway */
	if (!e->held && s->wish.warm_holds && v && !v->lingers) {
		v->refs[PM_CONNECTION]++;
		e->held = v;
	}
	wish(e->held, &s->wish);
}

static void fail_all(struct pm *m, struct pm_entry *e)
{
	struct pm_stream *s;

	while ((s = waiting(m, e))) {
		over(m, s, true);
		let_go(m);
	}
}

/* What the next who waits finds, or makes. */
static void pump(struct pm *m, struct pm_entry *e, struct pm_vhost *old)
{
	struct pm_stream *s = waiting(m, e);
	struct pm_vhost *there = find(m, e->content, e->use);
	/* no more than what goes in this step holds it */
	bool may_go = there && !there->linger_s &&
		      refs(there) == (unsigned)(there == old) + (there == m->leaving);

	if (s && e->conn == PM_NONE) {
		e->held = acquire(m, &e->store, e->use, PM_CONNECTION);
		e->retired = false;
		if (e->refused || e->unsure) {
			fail_all(m, e);
			release(m, e->held, PM_CONNECTION);
			e->held = NULL;
		} else {
			m->opened++;
			bind(m, e, s);
		}
		/* who takes its place finds the vhost, if that did not go at once: both are right */
		if (may_go && there == e->held) {
			snprintf(
				there->other_name, sizeof(there->other_name), "%s", e->store.store);
			m->made_more++;
		}
	} else if (s && e->conn == PM_WARM) {
		bind(m, e, s);
	}
	release(m, old, PM_CONNECTION);
	if (e->conn == PM_NONE && !waiting(m, e))
		e->used = false;
}

static void end_conn(struct pm *m, struct pm_entry *e)
{
	struct pm_vhost *old = e->held;

	e->conn = PM_NONE;
	e->held = NULL;
	pump(m, e, old);
}

/* Its exchange is over, and it could serve another one. */
static void rest(struct pm *m, struct pm_entry *e)
{
	if (e->retired) {
		end_conn(m, e);
		return;
	}
	e->conn = PM_WARM;
	e->idle = m->now;
	if (!e->last.warm_holds) {
		release(m, e->held, PM_CONNECTION);
		e->held = NULL;
	}
	if (waiting(m, e))
		pump(m, e, NULL);
	else if (!e->last.warm_s || e->alone || e->of_use != m->use)
		end_conn(m, e);
}

/* ---- steps ---- */

static struct pm_entry *entry_of(struct pm *m, const struct pm_wish *w)
{
	struct pm_entry *e, *place = NULL;
	unsigned use = use_of(m, w);

	for (e = m->entries; e < m->entries + PM_ENTRIES; e++) {
		if (!e->used) {
			place = e;
			continue;
		}
		if (w->alone || e->alone || e->content != w->content || e->use != use ||
			e->way != w->way)
			continue;
		if (e->of_use != m->use) /* the later policy says how */
			e->store = *w;
		e->of_use = m->use;
		return e;
	}
	if (!place)
		abort();
	*place = (struct pm_entry){
		.used = true,
		.content = w->content,
		.use = use,
		.way = w->way,
		.alone = w->alone,
		.refused = w->refused,
		.unsure = w->unsure,
		.store = *w,
		.of_use = m->use,
	};
	return place;
}

struct pm_stream *pm_open(struct pm *m, size_t name)
{
	const struct pm_wish *w = &m->names[name];
	struct pm_stream *s = m->streams;

	while (s->open) {
		if (++s == m->streams + PM_STREAMS)
			abort();
	}
	memset(s, 0, sizeof(*s));
	s->open = true;
	s->id = ++m->next_id;
	s->wish = *w;
	if (w->hold == PM_STREAM)
		s->held = acquire(m, w, use_of(m, w), PM_STREAM);
	s->entry = entry_of(m, w);
	pump(m, s->entry, NULL);
	return s;
}

void pm_answer(struct pm *m, struct pm_entry *e)
{
	over(m, pm_running(m, e), false);
	rest(m, e);
	let_go(m);
}

void pm_cut(struct pm *m, struct pm_entry *e, bool answering)
{
	struct pm_stream *s = pm_running(m, e);

	if (s && (answering || s->tries >= PM_TRIES)) {
		over(m, s, true);
	} else if (s) { /* it is tried again, and keeps its place */
		s->running = false;
	}
	end_conn(m, e);
	let_go(m);
}

void pm_cancel(struct pm *m, struct pm_stream *s)
{
	struct pm_entry *e = s->entry;
	bool running = s->running;

	over(m, s, true);
	if (running)
		end_conn(m, e);
	let_go(m);
}

static void hold_all(
	struct pm *m, const struct pm_wish *names, size_t count, struct pm_vhost *held[PM_NAMES])
{
	memset(held, 0, PM_NAMES * sizeof(held[0]));
	for (size_t i = 0; i < count; i++) {
		if (names[i].hold == PM_POLICY)
			held[i] = acquire(m, &names[i], use_of(m, &names[i]), PM_POLICY);
	}
}

static void let_go_all(struct pm *m, struct pm_vhost *held[PM_NAMES])
{
	for (size_t i = 0; i < PM_NAMES; i++)
		release(m, held[i], PM_POLICY);
}

void pm_use(struct pm *m, const struct pm_wish *names, size_t count)
{
	struct pm_vhost *before[PM_NAMES];

	memcpy(before, m->holds, sizeof(before));
	m->use++;
	if (count)
		memmove(m->names, names, count * sizeof(*names));
	m->name_count = count;
	hold_all(m, m->names, count, m->holds);
	for (struct pm_entry *e = m->entries; e < m->entries + PM_ENTRIES; e++) {
		if (!e->used)
			continue;
		e->retired = true;
		if (e->conn == PM_WARM)
			end_conn(m, e);
	}
	let_go_all(m, before);
}

unsigned pm_use_fails(struct pm *m, const struct pm_wish *names, size_t count)
{
	struct pm_vhost *held[PM_NAMES];
	bool there[PM_VHOSTS];
	unsigned made = m->made, use = m->use;

	for (size_t i = 0; i < PM_VHOSTS; i++)
		there[i] = m->vhosts[i].there;
	m->use += 1000000; /* nobody else has the same */
	hold_all(m, names, count, held);
	let_go_all(m, held);
	m->use = use;
	/* what was there before may linger, what is new may not */
	for (size_t i = 0; i < PM_VHOSTS; i++)
		m->vhosts[i].there &= there[i];
	made = m->made - made;
	m->made -= made;
	return made;
}

/* ---- time ---- */

void pm_settle(struct pm *m, unsigned made)
{
	m->made = made;
	m->made_more = 0;
	for (size_t i = 0; i < PM_VHOSTS; i++)
		m->vhosts[i].other_name[0] = '\0';
}

static bool is_past(struct pm_time since, unsigned s, const struct pm *m)
{
	return since.to_s + s < m->now.from_s;
}

void pm_tick(struct pm *m)
{
	struct pm_entry *e;
	struct pm_vhost *v;

	for (v = m->vhosts; v < m->vhosts + PM_VHOSTS; v++) {
		if (v->there && v->lingers && is_past(v->left, v->linger_s, m))
			v->there = v->lingers = false;
	}
	for (e = m->entries; e < m->entries + PM_ENTRIES; e++) {
		if (e->used && e->conn == PM_WARM && is_past(e->idle, e->last.warm_s, m))
			end_conn(m, e);
	}
}

static void look(struct pm_time since, unsigned s, uint64_t until_s, bool *due, uint64_t *when_s)
{
	if (since.from_s + s > until_s)
		return;
	*due = true;
	if (since.to_s + s > *when_s)
		*when_s = since.to_s + s;
}

bool pm_due(const struct pm *m, uint64_t until_s, uint64_t *when_s)
{
	bool due = false;

	*when_s = 0;
	for (size_t i = 0; i < PM_VHOSTS; i++) {
		const struct pm_vhost *v = &m->vhosts[i];

		if (v->there && v->lingers)
			look(v->left, v->linger_s, until_s, &due, when_s);
	}
	for (size_t i = 0; i < PM_ENTRIES; i++) {
		const struct pm_entry *e = &m->entries[i];

		if (e->used && e->conn == PM_WARM)
			look(e->idle, e->last.warm_s, until_s, &due, when_s);
	}
	return due;
}

unsigned pm_conns(const struct pm *m)
{
	unsigned n = 0;

	for (size_t i = 0; i < PM_ENTRIES; i++)
		n += m->entries[i].used && m->entries[i].conn != PM_NONE;
	return n;
}
