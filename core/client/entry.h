/* SPDX-License-Identifier: MIT */
/* Pool entries: one for each place and TLS policy that somebody talks to at present. */
#ifndef WEFT_CORE_CLIENT_ENTRY_H
#define WEFT_CORE_CLIENT_ENTRY_H

#include "core/client/pool.h"

/* A copy with strings and a reference of its own. false: no memory, and *to is empty. */
bool weft_pool_key_copy(const struct weft_allocator *alloc, struct weft_pool_key *to,
	const struct weft_pool_key *from);
/* One that is empty, too. */
void weft_pool_key_free(const struct weft_allocator *alloc, struct weft_pool_key *key);
bool weft_pool_key_equal(const struct weft_pool_key *a, const struct weft_pool_key *b);
struct weft_pool_entry *weft_pool_entry_find(
	struct weft_context *ctx, const struct weft_pool_key *key);
/* Copies key and references its trust. NULL: no memory. */
struct weft_pool_entry *weft_pool_entry_make(
	struct weft_context *ctx, const struct weft_pool_key *key, const struct weft_plugin *role);
/* The same content by a later policy: the tables of the one before may go. */
void weft_pool_entry_renew(struct weft_pool_entry *e, const struct weft_pool_key *key);
/* It has neither streams nor conns. */
void weft_pool_entry_free(struct weft_pool_entry *e);

/* pool.c: whether one connection may turn out to carry all; known of the last one, or offered. */
bool weft_pool_may_mux(const struct weft_pool_entry *e);
/* Have it looked at in this turn. */
void weft_pool_wake(struct weft_pool_entry *e);
/* pool.c: into the queue, at the place that its order says. */
void weft_pool_enqueue(struct weft_pool_entry *e, struct weft_stream *s);
/* ... and out of it. */
void weft_pool_dequeue(struct weft_pool_entry *e, struct weft_stream *s);
uint64_t weft_pool_age_us(const struct weft_stream *s);

/* Into the stream's story, with the time. */
static inline void weft_pool_tell(struct weft_stream *s, struct weft_told told)
{
	weft_story_add(&s->story, weft_pool_age_us(s), told);
}

/* bind.c: the queue's stream goes to a connection that takes it. */
void weft_pool_bind(struct weft_pool_entry *e, struct weft_stream *s, struct weft_conn *conn);

/* connect.c: begins a connection for the head of the queue. A failure is a failed attempt, reported as such. */
void weft_pool_connect(struct weft_pool_entry *e);

/*
 * coalesce.c: connections that serve several hosts. e's host has these addresses: for how many µs a connection of its
 * own is to wait, because one of another entry may take its streams. 0: there is none.
 */
uint64_t weft_pool_borrow(
	struct weft_pool_entry *e, const struct weft_address *addresses, size_t count);
/* They are being looked up again. */
void weft_pool_forget_addresses(struct weft_pool_entry *e);
/* Whether what e borrowed may take its streams some day. */
bool weft_pool_hopes(const struct weft_pool_entry *e);
/* Whether streams of others wait, and may come to c. */
bool weft_pool_is_wanted(const struct weft_client_conn *c);
/* It is full, and not only of its own entry's streams. */
bool weft_pool_is_given_away(const struct weft_client_conn *c);
/* c is up: entries that are still on their way to the same address may have it. */
void weft_pool_lend(struct weft_client_conn *c);
/* What e borrowed, if it takes a stream now; or NULL. */
struct weft_conn *weft_pool_borrowed(const struct weft_pool_entry *e);
/* e has streams left: if what it borrowed is full, it waits no longer before it makes a connection of its own. */
void weft_pool_lose_patience(struct weft_pool_entry *e);
/* They are looked at in this turn. */
void weft_pool_wake_borrowers(struct weft_client_conn *c);
/* e does without what it borrowed; which may not be wanted by anybody else. */
void weft_pool_return_loan(struct weft_pool_entry *e);
/* It is going. */
void weft_pool_end_loans(struct weft_client_conn *c);

/* warm.c: how many streams it takes now. */
unsigned weft_pool_room(const struct weft_conn *conn);
/* A connection that takes the head of the queue now, and is alive as far as can be known; or NULL. */
struct weft_conn *weft_pool_ready_conn(struct weft_pool_entry *e);
/* Ends what has reached a limit of law 7, as soon as nothing runs on it. */
void weft_pool_retire(struct weft_pool_entry *e);
/* Closes what has been idle for too long; comes again when the next is due. */
void weft_pool_cool(struct weft_pool_entry *e);
/* An idle connection of a stream that wants it so lets its vhost go; one that is used again takes one that lives. */
void weft_pool_let_go(struct weft_client_conn *c);
void weft_pool_take_hold(struct weft_client_conn *c, const struct weft_stream *s);
/* One of them was dead: the others that have been idle for as long are not trusted either. */
void weft_pool_distrust(struct weft_pool_entry *e, const struct weft_conn *dead);

static inline struct weft_conn *weft_pool_conn_of(struct weft_list *entry_node)
{
	return &weft_container_of(entry_node, struct weft_client_conn, entry_node)->conn;
}

#endif
