/* SPDX-License-Identifier: MIT */
/* What the parts of bench-trust know of each other. */
#ifndef WEFT_BENCH_TRUST_H
#define WEFT_BENCH_TRUST_H

#include <stddef.h>
#include <sys/types.h>

#include "weft/policy_load.h"
#include "weft/weft.h"

enum { TRUST_NAME = 8, TRUST_STORES_MAX = 9999 };

/* What a run was asked for. */
struct trust_args {
	const char *event, *tls;
	/* ca.der, server.pem, server.key, certs/000.der ...; policy.json for hold: policy; room for a socket */
	const char *folder;
	enum weft_hold hold;
	size_t stores, all, rounds;
};

/* A static policy of so many trust stores, each with a stream of the same name: "s0000", "s0001", ... */
const struct weft_policy *trust_tables(const struct trust_args *args, enum weft_share share);

/* Frees all tables; no context uses them any more. */
void trust_forget(void);

/* An echo over TLS at FOLDER/socket, in a process of its own, so that its heap does not count here. */
pid_t trust_server(const struct trust_args *args);

/* Prints what went wrong, and exits. */
_Noreturn void trust_die(const char *what, const char *why);

#endif
