/* SPDX-License-Identifier: MIT */
/* What the parts of the load generator know of each other. */
#ifndef WEFT_BENCH_BENCH_H
#define WEFT_BENCH_BENCH_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

/* Whom to ask for what, and how; the same for all connections of a run. */
struct bench_target {
	unsigned port; /* on 127.0.0.1 */
	const char *path;
	SSL_CTX *tls; /* NULL: plain */
	char request[512];
	size_t request_len;
	size_t answer_len;    /* head and body of each answer, known after the first */
	SSL_SESSION *session; /* the first that the server gave, owned */
};

struct bench_conn {
	int fd;
	SSL *ssl; /* NULL: plain */
};

struct bench_run {
	struct bench_target target;
	size_t conns, depth, requests;
	bool resume;
};

/* Fills in all but port and path; tls is "", "1.2" or "1.3". */
void bench_target_init(struct bench_target *t, const char *tls);
void bench_target_finish(struct bench_target *t);
/* Connects and, where there is TLS, shakes hands; resumes the target's session if asked to. */
void bench_conn_open(struct bench_conn *c, const struct bench_target *t, bool resume);
/* One request and its whole answer, which must be a 200. Sets the target's answer_len. */
void bench_conn_ask(struct bench_conn *c, struct bench_target *t);
void bench_conn_send(struct bench_conn *c, const char *bytes, size_t len);
/* What is there, up to len bytes; 0 if that is nothing. */
size_t bench_conn_receive(struct bench_conn *c, char *out, size_t len);
/* From here on receiving does not wait. */
void bench_conn_unblock(struct bench_conn *c);
void bench_conn_close(struct bench_conn *c);

/* Tells that all is prepared, and waits for a line: what came before is not measured. */
void bench_ready(void);

/* What was printed is on its way; waits until nobody wants more of us, so that closing is not measured. */
void bench_done(void);

/* Ways of loading a server. Each prints a line of JSON at its end. */
void bench_busy(struct bench_run *run); /* kept connections, `depth` requests under way on each */
void bench_handshake(
	struct bench_run *run);         /* a connection for each request, one after the other */
void bench_hold(struct bench_run *run); /* connections that rest after one request each */
void bench_hold_h2(struct bench_run *run);

double bench_now(void);
/* Prints what and errno, and exits. */
_Noreturn void bench_die(const char *what);

#endif
