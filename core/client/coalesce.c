/* SPDX-License-Identifier: MIT */
/*
 * One connection for several hosts: RFC 9113 section 9.1.1. Streams of one entry go to a connection of another's if
 * that speaks a protocol which carries many at once, leads to an address that this host has, too, and showed a
 * certificate that is for both. A server that does not serve this host there says 421, and is not asked again.
 *
 * An entry waits a short while for such a connection that is being made, and not at all for one that takes nothing at
 * the moment: then one of its own is made.
 */
#include <string.h>

#include "core/client/entry.h"
#include "core/net/dial.h"
#include "core/net/url.h"
#include "core/vhost/trust.h"
#include "weft/plugin/tls.h"

/* As between two addresses of one host: RFC 8305 section 5. */
enum { PATIENCE_US = 250000 };

/* Everything but the host, and what follows from the host. */
static bool same_but_host(const struct weft_pool_key *a, const struct weft_pool_key *b)
{
	return a->scheme == b->scheme && a->role == b->role && a->port == b->port &&
	       a->allow == b->allow && !strcmp(a->connect_to, b->connect_to) &&
	       !strcmp(a->proxy, b->proxy) && !strcmp(a->local, b->local) &&
	       weft_trust_equal(a->trust, b->trust);
}

bool weft_pool_names_itself(const struct weft_pool_key *key)
{
	size_t len = weft_url_name_len(key->host);

	return len && strlen(key->sni) == len && !strncmp(key->sni, key->host, len);
}

static bool has_address(const struct weft_pool_entry *e, const struct weft_address *peer)
{
	if (peer->family == WEFT_FAMILY_NONE)
		return false;
	for (size_t i = 0; i < e->address_count; i++) {
		if (weft_address_equal(&e->addresses[i], peer))
			return true;
	}
	return false;
}

static bool cert_fits(const struct weft_conn *conn, const char *host)
{
	const struct weft_tls_ops *tls = conn->ctx->tls->tls;
	const struct weft_transport *top = conn->top;
	struct weft_span der;

	return tls->cert_fits && top->ops->peer_cert && top->ops->peer_cert(top, &der) == WEFT_OK &&
	       tls->cert_fits(der, host, NULL) == WEFT_OK;
}

/* What a connection is worth to an entry that looks for one. */
enum use {
	USE_NONE,
	USE_COMING, /* it is not up yet: what it shows will tell */
	USE_FULL,   /* it serves both, but takes nothing at the moment */
	USE_NOW,
};

static bool serves_both(const struct weft_conn *conn, const struct weft_pool_entry *e)
{
	struct weft_conn_info info = { .id = conn->id };

	if (!conn->pipe.role || !(conn->pipe.role->role->caps & WEFT_ROLE_MUX))
		return false;
	conn->top->ops->info(conn->top, &info);
	return info.peer_verified && has_address(e, &info.peer) && cert_fits(conn, e->key.sni);
}

static bool leads_there(const struct weft_client_conn *c, const struct weft_pool_entry *e)
{
	const struct weft_address *to = c->dial ? weft_dial_trying(c->dial) : NULL;
	struct weft_conn_info info = { .id = c->conn.id };

	if (c->conn.top)
		c->conn.top->ops->info(c->conn.top, &info);
	return has_address(e, to ? to : &info.peer);
}

/* The cheap questions first. */
static enum use use_of(const struct weft_client_conn *c, const struct weft_pool_entry *e)
{
	const struct weft_conn *conn = &c->conn;

	if (conn->state > WEFT_CONN_OPEN || conn->ending || c->retired || c->entry == e ||
		c->entry->alone || !weft_pool_names_itself(&c->entry->key) ||
		!same_but_host(&c->entry->key, &e->key))
		return USE_NONE;
	if (conn->state < WEFT_CONN_OPEN)
		return weft_pool_may_mux(c->entry) && leads_there(c, e) ? USE_COMING : USE_NONE;
	if (!serves_both(conn, e))
		return USE_NONE;
	return weft_pool_room(conn) ? USE_NOW : USE_FULL;
}

static void end_loan(struct weft_pool_entry *e)
{
	weft_list_remove(&e->borrow_node);
	e->borrowed = NULL;
	e->unwelcome = e->promised = false;
}

/* Equal, and there may be many who borrow. */
static void share_trust(struct weft_pool_entry *e, struct weft_pool_entry *lender)
{
	weft_pool_entry_renew(lender, &e->key);
	weft_trust_ref(lender->key.trust);
	weft_trust_release(e->key.trust);
	e->key.trust = lender->key.trust;
}

static void take_loan(struct weft_pool_entry *e, struct weft_client_conn *c, bool promised)
{
	if (e->borrowed) {
		weft_pool_wake(e->borrowed->entry);
		end_loan(e);
	}
	share_trust(e, c->entry);
	e->borrowed = c;
	e->promised = promised;
	weft_list_append(&c->borrowers, &e->borrow_node);
	weft_pool_wake(e);
}

/* Its own connections wait for nobody any more. */
static void hurry(struct weft_pool_entry *e)
{
	weft_list_each(node, &e->conns)
		weft_dial_hurry(weft_client_conn(weft_pool_conn_of(node))->dial);
}

static void go_on(struct weft_pool_entry *e)
{
	hurry(e);
	weft_pool_wake(e);
}

bool weft_pool_hopes(const struct weft_pool_entry *e)
{
	const struct weft_client_conn *c = e->borrowed;

	return c && !e->unwelcome && !e->faithful && c->conn.state <= WEFT_CONN_OPEN &&
	       !c->conn.ending && !c->retired;
}

bool weft_pool_is_wanted(const struct weft_client_conn *c)
{
	weft_list_each(node, &c->borrowers)
	{
		if (weft_container_of(node, struct weft_pool_entry, borrow_node)->queued)
			return true;
	}
	return false;
}

bool weft_pool_is_given_away(const struct weft_client_conn *c)
{
	if (weft_list_empty(&c->borrowers) || !c->busy || weft_pool_room(&c->conn))
		return false;
	weft_list_each(node, &c->conn.pipe.streams)
	{
		if (weft_container_of(node, struct weft_stream, pipe_node)->entry != c->entry)
			return true;
	}
	return false;
}

void weft_pool_lose_patience(struct weft_pool_entry *e)
{
	const struct weft_client_conn *c = e->borrowed;

	/* before it carries anything it may not have been told yet how much it takes */
	if (c && !e->promised && c->busy && !weft_pool_room(&c->conn))
		hurry(e);
}

void weft_pool_return_loan(struct weft_pool_entry *e)
{
	weft_pool_wake(e->borrowed->entry);
	end_loan(e);
	go_on(e);
}

struct weft_conn *weft_pool_borrowed(const struct weft_pool_entry *e)
{
	struct weft_client_conn *c = e->borrowed;

	return c && !e->unwelcome && !e->promised && weft_pool_room(&c->conn) ? &c->conn : NULL;
}

static enum use find_best(const struct weft_pool_entry *e, struct weft_client_conn **found)
{
	enum use best = USE_NONE, use;

	weft_list_each(entry, &e->ctx->entries)
	{
		weft_list_each(node, &weft_container_of(entry, struct weft_pool_entry, node)->conns)
		{
			struct weft_client_conn *c = weft_client_conn(weft_pool_conn_of(node));

			use = use_of(c, e);
			if (use > best) {
				best = use;
				*found = c;
			}
		}
	}
	return best;
}

void weft_pool_forget_addresses(struct weft_pool_entry *e)
{
	weft_free(&e->ctx->memory.alloc, e->addresses, e->address_count * sizeof(*e->addresses));
	e->addresses = NULL;
	e->address_count = 0;
}

static void keep_addresses(
	struct weft_pool_entry *e, const struct weft_address *addresses, size_t count)
{
	weft_pool_forget_addresses(e);
	e->addresses = weft_alloc(&e->ctx->memory.alloc, count * sizeof(*addresses));
	if (!e->addresses)
		return;
	memcpy(e->addresses, addresses, count * sizeof(*addresses));
	e->address_count = count;
}

uint64_t weft_pool_borrow(
	struct weft_pool_entry *e, const struct weft_address *addresses, size_t count)
{
	struct weft_client_conn *c = NULL;
	enum use use;

	if (e->faithful || e->unwelcome)
		return 0;
	keep_addresses(e, addresses, count);
	use = find_best(e, &c);
	if (use == USE_NONE)
		return 0;
	take_loan(e, c, use == USE_COMING);
	return use == USE_COMING ? PATIENCE_US : use == USE_NOW ? 1 : 0;
}

void weft_pool_lend(struct weft_client_conn *c)
{
	weft_list_each_safe(node, &c->borrowers)
	{
		struct weft_pool_entry *e =
			weft_container_of(node, struct weft_pool_entry, borrow_node);

		e->promised = false;
		if (use_of(c, e) == USE_NONE) {
			end_loan(e);
			hurry(e);
		}
		weft_pool_wake(e);
	}
	weft_list_each(node, &c->conn.ctx->entries)
	{
		struct weft_pool_entry *e = weft_container_of(node, struct weft_pool_entry, node);

		if (e->queued && e->connecting && !e->faithful && !e->unwelcome &&
			!weft_pool_borrowed(e) && use_of(c, e))
			take_loan(e, c, false);
	}
}

void weft_pool_wake_borrowers(struct weft_client_conn *c)
{
	weft_list_each(node, &c->borrowers)
		weft_pool_wake(weft_container_of(node, struct weft_pool_entry, borrow_node));
}

void weft_pool_end_loans(struct weft_client_conn *c)
{
	weft_list_each_safe(node, &c->borrowers)
	{
		struct weft_pool_entry *e =
			weft_container_of(node, struct weft_pool_entry, borrow_node);

		end_loan(e);
		go_on(e);
	}
}

/* Whether it can be asked for again elsewhere, or the answer is all that its application gets. */
static bool may_go(const struct weft_stream *s)
{
	const struct weft_client_conn *c = weft_client_conn(weft_pipe_conn(s->pipe));

	return c->entry != s->entry && !s->answered && s->ctx->life != WEFT_LIFE_DESTROYING &&
	       (!s->body_lost || s->ops->body_rewind);
}

bool weft_pool_misdirected(struct weft_stream *s)
{
	struct weft_pool_entry *e = s->entry;
	struct weft_conn *conn = s->pipe ? weft_pipe_conn(s->pipe) : NULL;
	struct weft_told told = { .event = WEFT_STORY_RETRIED_MISDIRECTED };
	struct weft_error err;

	if (!s->client || !conn || !e)
		return false;
	if (e->borrowed == weft_client_conn(conn))
		e->unwelcome = true;
	if (!may_go(s))
		return false;
	s->ctx->counters.streams_misdirected++;
	weft_stream_unbind(s);
	if (weft_stream_rewind(s, &err)) {
		weft_stream_over(s, &err);
		return true;
	}
	if (s->state == WEFT_STREAM_DONE) /* the application gave it up while it was asked */
		return true;
	told.number = conn->id;
	weft_pool_tell(s, told);
	s->ctx->counters.streams_retried++;
	s->coalesce = false; /* wherever that may be: it was promised one of its own */
	weft_pool_enqueue(e, s);
	return true;
}
