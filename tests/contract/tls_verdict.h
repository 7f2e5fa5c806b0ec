/* SPDX-License-Identifier: MIT */
/*
 * Verdicts on certificates, as tables: each row is a test, which runs on a backend as a client that looks at
 * a server's certificate, and as a server that looks at a client's. The peer is bare GnuTLS.
 */
#ifndef WEFT_TESTS_CONTRACT_TLS_VERDICT_H
#define WEFT_TESTS_CONTRACT_TLS_VERDICT_H

#include "tests/contract/tls_pair.h"

struct tls_verdict {
	const char *name; /* of the test */
	/* Sets what is shown, trusted and asked for. purpose is the extended key usage that fits. */
	void (*prepare)(struct tls_wish *wish, const char *purpose);
	unsigned faults;  /* 0: accepted */
	unsigned caps;    /* what it takes to come to this verdict */
	bool strict_only; /* whether it could be allowed is no part of the contract */
};

/* The initial state of a verdict's test. */
struct tls_trial {
	const struct tls_setting *setting;
	const struct tls_verdict *verdict;
	bool by_server;
};

/* The test. */
void tls_verdict_is_right(void **state);

extern const struct tls_verdict tls_chain_verdicts[], tls_name_verdicts[],
	tls_constraint_verdicts[];
extern const size_t tls_chain_verdict_count, tls_name_verdict_count, tls_constraint_verdict_count;

#endif
