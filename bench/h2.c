/* SPDX-License-Identifier: MIT */
/* HTTP/2 connections that rest after one request each, until a line comes. */
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

struct h2_conn {
	struct bench_conn conn;
	nghttp2_session *session;
	bool good; /* the request's status is 200 */
	bool over;
};

static void check(int rv, const char *what)
{
	if (rv >= 0)
		return;
	fprintf(stderr, "bench: %s: %s\n", what, nghttp2_strerror(rv));
	exit(1);
}

static ssize_t send_bytes(
	nghttp2_session *session, const uint8_t *bytes, size_t len, int flags, void *user)
{
	struct h2_conn *c = user;

	(void)session;
	(void)flags;
	bench_conn_send(&c->conn, (const char *)bytes, len);
	return (ssize_t)len;
}

static int on_field(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
	size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
	struct h2_conn *c = user;

	(void)session;
	(void)frame;
	(void)flags;
	if (name_len == 7 && !memcmp(name, ":status", 7))
		c->good = value_len == 3 && !memcmp(value, "200", 3);
	return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
	struct h2_conn *c = user;

	(void)session;
	(void)id;
	c->over = true;
	c->good = c->good && code == NGHTTP2_NO_ERROR;
	return 0;
}

static void open_conn(struct h2_conn *c, const struct bench_target *t)
{
	nghttp2_session_callbacks *callbacks;

	bench_conn_open(&c->conn, t, false);
	check(nghttp2_session_callbacks_new(&callbacks), "preparing");
	nghttp2_session_callbacks_set_send_callback(callbacks, send_bytes);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_field);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
	check(nghttp2_session_client_new(&c->session, callbacks, c), "preparing");
	nghttp2_session_callbacks_del(callbacks);
	check(nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, NULL, 0), "SETTINGS");
}

static nghttp2_nv field(const char *name, const char *value)
{
	return (nghttp2_nv){ .name = (uint8_t *)name,
		.value = (uint8_t *)value,
		.namelen = strlen(name),
		.valuelen = strlen(value) };
}

static void ask(struct h2_conn *c, const struct bench_target *t)
{
	const nghttp2_nv fields[] = {
		field(":method", "GET"),
		field(":scheme", t->tls ? "https" : "http"),
		field(":authority", "localhost"),
		field(":path", t->path),
		field("accept", "*/*"),
	};
	char bytes[16384];
	ssize_t taken;
	size_t len;

	c->over = c->good = false;
	check(nghttp2_submit_request(
		      c->session, NULL, fields, sizeof(fields) / sizeof(*fields), NULL, NULL),
		"asking");
	check(nghttp2_session_send(c->session), "sending");
	while (!c->over) {
		len = bench_conn_receive(&c->conn, bytes, sizeof(bytes));
		taken = nghttp2_session_mem_recv(c->session, (const uint8_t *)bytes, len);
		check((int)taken, "receiving");
		check(nghttp2_session_send(c->session), "sending");
	}
	if (!c->good)
		bench_die("an answer is no 200");
}

void bench_hold_h2(struct bench_run *run)
{
	struct h2_conn *conns = calloc(run->conns, sizeof(*conns));

	if (!conns)
		bench_die("preparing");
	if (run->target.tls && SSL_CTX_set_alpn_protos(run->target.tls, (const uint8_t *)"\2h2", 3))
		bench_die("preparing ALPN");
	for (size_t i = 0; i < run->conns; i++) {
		open_conn(&conns[i], &run->target);
		ask(&conns[i], &run->target);
	}
	bench_ready();
	/* none of them may have been closed meanwhile, or there was less to hold than we say */
	for (size_t i = 0; i < run->conns; i++)
		ask(&conns[i], &run->target);
	printf("{\"requests\": %zu, \"conns\": %zu}\n", 2 * run->conns, run->conns);
	bench_done();
	for (size_t i = 0; i < run->conns; i++) {
		nghttp2_session_del(conns[i].session);
		bench_conn_close(&conns[i].conn);
	}
	free(conns);
}
