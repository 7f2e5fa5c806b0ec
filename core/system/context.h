/* SPDX-License-Identifier: MIT */
/* The context's inside: what every part of the core finds through its ctx pointer. */
#ifndef WEFT_CORE_SYSTEM_CONTEXT_H
#define WEFT_CORE_SYSTEM_CONTEXT_H

#include "core/base/list.h"
#include "core/base/memory.h"
#include "core/client/budget.h"
#include "core/conn/admission.h"
#include "core/loop/loop.h"
#include "core/policy/use.h"
#include "core/stream/id.h"
#include "core/vhost/history.h"
#include "weft/context.h"
#include "weft/plugin/plugin.h"
#include "weft/plugin/role.h"

struct weft_flight;
struct weft_mailbox;
struct weft_resolver;
struct weft_trust_spec;

/* What a turn has still to do, each a list of nodes in the objects; DESIGN 3, "End of turn". */
struct weft_turn_queues {
	struct weft_list input;    /* conns: bytes that were left over */
	struct weft_list deliver;  /* streams: data or an end that the application has not seen */
	struct weft_list writable; /* streams: on_writable is owed */
	struct weft_list pump;     /* pool entries: something may be bound or connected */
	struct weft_list output;   /* pipes: the role wants to write */
	struct weft_list flush;    /* conns: something to send, or to end */
	struct weft_list closed;   /* streams: on_close is owed */
	struct weft_list reap;     /* conns to be freed */
};

enum weft_life {
	WEFT_LIFE_RUNNING,
	WEFT_LIFE_DRAINING,   /* nothing new; what runs may finish */
	WEFT_LIFE_DESTROYING, /* the same, and the context goes when it is done */
};

struct weft_context {
	struct weft_memory memory;
	struct weft_loop loop;
	struct weft_registry *registry;
	const struct weft_plugin *event, *tls; /* tls NULL: none */
	struct weft_resolver *resolver;        /* made for the first name */
	struct weft_mailbox *mailbox;
	uint64_t id;

	struct weft_limits limits;
	struct weft_limits client_limits; /* of streams that say nothing else */
	uint32_t write_high, keep_warm_ms, queue_ms, conn_age_ms;
	unsigned max_conns, max_queue, conn_requests, retry_percent;
	struct weft_budget budgets[WEFT_BUDGETS];
	size_t fragment_bytes;
	bool reuse_port;
	struct weft_admission admission;
	weft_log_fn log;
	void *log_user;
	enum weft_log_level log_level;

	struct weft_trust_spec
		*no_trust;       /* what streams without TLS share by; made for the first */
	struct weft_list locals; /* weft_context_local */
	struct weft_list vhosts, listeners, conns, streams, entries;
	struct weft_flight
		*flights;         /* one for each name in use whose streams have a limit together */
	struct weft_list tickets; /* of clients' TLS sessions; see client/tickets.h */
	unsigned ticket_count, ticket_max; /* max 0: sessions are never resumed */
	struct weft_timer ticket_timer;
	struct weft_turn_queues queues;
	bool in_turn;
	bool stop;

	unsigned char *recv_buf; /* the loop's one receive buffer */
	uint64_t recv_serial;    /* goes up with each read into it */
	uint64_t turns;          /* that have ended */
	struct {
		void *ptr;
		size_t len;
		uint32_t users; /* pipes; without any it is not there */
	} workspace;
	int64_t wall;         /* for pipes: seconds of the epoch, */
	uint64_t wall_us;     /* when the other clock said this */
	uint64_t sent_serial; /* goes up whenever the network takes bytes */
	uint64_t next_conn_id;
	struct weft_stream_ids ids;

	enum weft_life life;
	bool life_changed;
	bool drain_due;               /* drained is owed */
	struct weft_timer life_timer; /* the deadline of drain or destroy */
	struct weft_timer calm_timer; /* another turn, which gives back what a busy one kept */
	void (*drained)(void *user);
	void *drained_user;
	void (*done)(void *user);
	void *done_user;
	bool *gone; /* set when the context is freed within a turn that somebody waits for */

	struct weft_policy_in_use policy;
	uint64_t policy_uses; /* tries to use one, failed ones included */
	struct weft_history history;

	struct weft_counters counters;
};

enum { WEFT_RECV_BYTES = 65536 };

/* Has the turn's queues worked through soon, wherever this is called from. */
static inline void weft_context_nudge(struct weft_context *ctx)
{
	if (!ctx->in_turn)
		weft_loop_nudge(&ctx->loop);
}

/* Puts node into one of the turn's queues, once. */
static inline void weft_turn_queue(
	struct weft_context *ctx, struct weft_list *queue, struct weft_list *node)
{
	if (weft_list_linked(node))
		return;
	weft_list_append(queue, node);
	weft_context_nudge(ctx);
}

/* system/turn.c: the end of a turn. */
enum weft_turn weft_context_end_turn(void *ctx);
/* system/life.c: goes on with draining or destroying. GONE: the context was freed. */
enum weft_turn weft_context_live(struct weft_context *ctx);
void weft_context_free(struct weft_context *ctx);
/* Called by whatever draining waits for. */
static inline void weft_context_changed(struct weft_context *ctx)
{
	ctx->life_changed = true;
	weft_context_nudge(ctx);
}

#endif
