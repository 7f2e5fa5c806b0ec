/* SPDX-License-Identifier: MIT */
/* A server with two names by one certificate, and a client that knows where both are: for tests of coalescing. */
#ifndef WEFT_TESTS_SUPPORT_HOSTS_H
#define WEFT_TESTS_SUPPORT_HOSTS_H

#include "tests/support/duo.h"

#define HOST_A "a.example.test"
#define HOST_B "b.example.test"

enum { HOSTS_ASKS = 32 };

extern struct duo hosts_duo;
extern struct ask hosts_asks[HOSTS_ASKS];

/* One vhost serves both: it never says that a request is misdirected. server may be NULL. */
void hosts_open_one(const struct weft_context_options *server);
/* A vhost each: one that was named when hands were shaken does not serve the other's requests. */
void hosts_open_two(void);
/* Where the first listens. */
struct weft_vhost *hosts_add_vhost(const struct weft_vhost_options *options);

/* By connect_to: no name is looked up. */
struct weft_request hosts_wish(bool coalesce);
/* Request i, to host; until it was answered as it should be; both. */
void hosts_ask(unsigned i, const char *host, bool post, struct weft_request r);
void hosts_check(unsigned i);
void hosts_visit(unsigned i, const char *host, struct weft_request r);
/* Whether one connection brought both answers. */
bool hosts_same_conn(unsigned i, unsigned j);

#endif
