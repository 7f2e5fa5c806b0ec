/* SPDX-License-Identifier: MIT */
/*
 * What DESIGN 5 and 6 say of vhosts, as a machine that only counts: which must be there, held by whom, and how often
 * they were made. It knows nothing of Weft, and sees the world between turns only, when all is at rest.
 */
#ifndef WEFT_TESTS_SUPPORT_POLICY_MODEL_H
#define WEFT_TESTS_SUPPORT_POLICY_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PM_NAMES = 10, PM_STREAMS = 10, PM_ENTRIES = 24, PM_VHOSTS = 64, PM_TRIES = 5 };

/* Who may hold a vhost; and what a policy says of it. */
enum pm_hold { PM_CONNECTION, PM_STREAM, PM_POLICY, PM_HOLDERS };

/* What a policy says of a stream. */
struct pm_wish {
	char store[16];   /* the name of its trust store */
	unsigned content; /* of that: equal numbers are equal content */
	enum pm_hold hold;
	unsigned linger_s, warm_s; /* 0: not at all */
	bool warm_holds, alone;
	bool who;     /* proves who it is, as the application says at each use of a policy */
	unsigned way; /* streams of equal content go together only if this is equal, too */
	bool refused, unsure; /* nobody listens; the server is not believed */
};

/* A point in time, known to lie within a step. */
struct pm_time {
	uint64_t from_s, to_s;
};

struct pm_vhost {
	bool there, lingers;
	unsigned content, use; /* use: 0 where nobody has to prove who he is */
	char name[16];         /* of the store by which it was made */
	char other_name[16];   /* ... or by this one, if it was made anew; "": it was not */
	unsigned refs[PM_HOLDERS];
	unsigned linger_s;
	struct pm_time left;
};

enum pm_conn { PM_NONE, PM_BUSY, PM_WARM };

/* All who go the same way. */
struct pm_entry {
	bool used;
	unsigned content, use, way;
	bool alone, refused, unsure;
	struct pm_wish store; /* whose vhost its connections ask for */
	unsigned of_use;      /* the use of a policy which that is of */
	enum pm_conn conn;
	struct pm_vhost *held; /* by the connection; NULL: it has let go */
	struct pm_wish last;   /* what the last stream on it wants */
	struct pm_time idle;
	bool retired;
	unsigned served_by; /* id of the stream that ran last on it */
};

struct pm_stream {
	bool open, running, failed; /* failed: it has ended, and badly */
	unsigned id, tries;
	struct pm_wish wish;
	struct pm_entry *entry;
	struct pm_vhost *held; /* by hold: stream */
};

struct pm {
	struct pm_time now; /* of the present step */
	unsigned use;       /* of policies, counted */
	struct pm_wish names[PM_NAMES];
	size_t name_count; /* 0: no policy */
	struct pm_vhost *holds[PM_NAMES];
	struct pm_vhost vhosts[PM_VHOSTS];
	struct pm_vhost *leaving; /* held by a stream that ends in this step */
	struct pm_entry entries[PM_ENTRIES];
	struct pm_stream streams[PM_STREAMS]; /* open ones in no order; id tells who came first */
	unsigned next_id;
	unsigned made, opened; /* vhosts; connections that came up */
	unsigned made_more;    /* vhosts that may have been made anew in this step */
};

/* Another policy, the same again (names is m->names), or none (count 0). */
void pm_use(struct pm *m, const struct pm_wish *names, size_t count);
/* One whose last store cannot be made: what was not there is not there. How many were made for nothing. */
unsigned pm_use_fails(struct pm *m, const struct pm_wish *names, size_t count);
/* There is a free place for it. */
struct pm_stream *pm_open(struct pm *m, size_t name);
/* Its running stream is answered well. */
void pm_answer(struct pm *m, struct pm_entry *e);
/* Its connection ends, from the other side: before an answer began, or within it; or while it was idle. */
void pm_cut(struct pm *m, struct pm_entry *e, bool answering);
/* The application gives it up. */
void pm_cancel(struct pm *m, struct pm_stream *s);
/* What is due by m->now happens. */
void pm_tick(struct pm *m);
/* What was left open is known now, names apart. */
void pm_settle(struct pm *m, unsigned made);
/* Whether something will be due before until_s, or might; *when_s is when it certainly is. */
bool pm_due(const struct pm *m, uint64_t until_s, uint64_t *when_s);
struct pm_stream *pm_running(struct pm *m, const struct pm_entry *e);
unsigned pm_conns(const struct pm *m);

#endif
