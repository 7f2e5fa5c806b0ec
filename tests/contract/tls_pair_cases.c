/* SPDX-License-Identifier: MIT */
/* The two ends that every case of the suite uses. */
#include <stdlib.h>
#include <string.h>

#include "tests/contract/tls_pair.h"

static struct weft_span span(const char *text, size_t len)
{
	return (struct weft_span){ (const unsigned char *)text, len };
}

static void set_identity(struct weft_tls_ctx_options *o, const struct test_cert *own,
	const struct weft_signer *signer)
{
	o->cert_chain = span(own->cert, own->cert_len);
	o->signer = signer;
	if (!signer)
		o->key = span(own->key, own->key_len);
}

static void set_side(struct weft_tls_ctx_options *o, bool server, const struct tls_wish *wish)
{
	if (server) {
		set_identity(
			o, wish->shown ? wish->shown : test_cert(wish->cert), wish->server_signer);
		o->alpn = wish->server_alpn;
		o->client_auth = wish->client_auth;
		o->ocsp = wish->ocsp;
		o->ticket_secret = wish->ticket_secret;
		o->pins = wish->server_pins;
		o->pin_count = wish->server_pins ? 1 : 0;
		return;
	}
	if (wish->client_cert)
		set_identity(o, wish->client_cert, wish->client_signer);
	o->alpn = wish->client_alpn;
	o->tickets = wish->tickets;
	o->pins = wish->pins;
	o->pin_count = wish->pin_count;
}

static void create_ctx(struct tls_end *e, bool server, const struct tls_wish *wish)
{
	const struct test_cert *authority = wish->trust ? wish->trust : test_certs_ca();
	size_t crl_len;
	const char *own_crl = test_certs_crl(&crl_len);
	struct weft_span *ca = calloc(1 + wish->store_count, sizeof(*ca));
	struct weft_span crl =
		wish->list ? span(wish->list->cert, wish->list->cert_len) : span(own_crl, crl_len);
	struct weft_tls_ctx_options o = {
		.size = sizeof(o), .alloc = &weft_allocator_system, .server = server
	};

	assert_non_null(ca);
	ca[0] = span(authority->cert, authority->cert_len);
	for (size_t i = 0; i < wish->store_count; i++)
		ca[1 + i] = wish->store[i];
	set_side(&o, server, wish);
	if (!server || wish->client_auth) {
		o.ca = ca;
		o.ca_count = 1 + wish->store_count;
		o.crl = wish->crl || wish->list ? &crl : NULL;
		o.crl_count = wish->crl || wish->list;
	}
	e->status = e->ops->ctx_create(&o, &e->ctx, &e->err);
	free(ca);
	if (e->status)
		fail_msg("ctx_create: %s", e->err.text);
}

void tls_end_create(struct tls_end *e, const struct tls_backend *backend, bool server,
	const struct tls_wish *wish)
{
	struct weft_tls_session_options o = { .size = sizeof(o) };

	memset(e, 0, sizeof(*e));
	e->ops = backend->ops;
	weft_buffer_init(&e->in, &weft_allocator_system);
	weft_buffer_init(&e->out, &weft_allocator_system);
	create_ctx(e, server, wish);
	if (server) {
		o.allow = wish->server_allow;
	} else {
		if (wish->ip.len)
			o.verify_ip = wish->ip;
		else
			o.sni = wish->host ? wish->host : "localhost";
		o.verify_host = wish->no_name ? NULL : o.sni;
		o.allow = wish->allow;
		o.resume = wish->resume;
	}
	e->status = e->ops->session_create(e->ctx, &o, &e->session, &e->err);
	if (e->status)
		fail_msg("session_create: %s", e->err.text);
	e->status = WEFT_AGAIN;
}

void tls_end_destroy(struct tls_end *e)
{
	e->ops->session_destroy(e->session);
	e->ops->ctx_destroy(e->ctx);
	weft_buffer_finish(&e->in);
	weft_buffer_finish(&e->out);
}

/* A block of its own just as long as the input: what reads past it, or later, is found out. */
static unsigned char *copy_input(const struct tls_end *e, struct weft_span *in)
{
	unsigned char *copy;

	in->len = weft_buffer_len(&e->in);
	copy = malloc(in->len ? in->len : 1);
	assert_non_null(copy);
	if (in->len)
		memcpy(copy, weft_buffer_bytes(&e->in), in->len);
	in->ptr = in->len ? copy : NULL;
	return copy;
}

static void take_input(struct tls_end *e, unsigned char *copy, const struct weft_span *in)
{
	size_t had = weft_buffer_len(&e->in);

	assert_true(in->len <= had);
	if (in->len)
		assert_ptr_equal(in->ptr, copy + had - in->len);
	weft_buffer_consume(&e->in, had - in->len);
	memset(copy, 0xdd, had);
	free(copy);
	assert_false(e->out.failed);
}

void tls_end_handshake(struct tls_end *e)
{
	struct weft_span in;
	unsigned char *copy = copy_input(e, &in);

	e->status = e->ops->handshake(e->session, &in, &e->out, &e->err);
	take_input(e, copy, &in);
}

void tls_end_decrypt(struct tls_end *e, struct weft_buffer *plain)
{
	struct weft_span in, got = { NULL, 0 };
	unsigned char *copy = copy_input(e, &in);

	e->status = e->ops->decrypt(e->session, &in, &got, &e->out, &e->err);
	take_input(e, copy, &in);
	if (e->status == WEFT_OK && got.len) {
		assert_true(got.len <= 16384);
		weft_buffer_append(plain, got.ptr, got.len);
	}
}

void tls_end_drain(struct tls_end *e, struct weft_buffer *plain)
{
	do {
		tls_end_decrypt(e, plain);
	} while (e->status == WEFT_OK);
}

void tls_end_encrypt(struct tls_end *e, const void *bytes, size_t len)
{
	struct weft_segment segment = weft_segment_borrowed(bytes, len);

	e->status = e->ops->encrypt(e->session, &segment, 1, &e->out, &e->err);
	if (e->status)
		fail_msg("encrypt: %s", e->err.text);
}

size_t tls_deliver(struct tls_end *from, struct tls_end *to, size_t count)
{
	size_t have = weft_buffer_len(&from->out);

	if (!count || count > have)
		count = have;
	if (count) {
		weft_buffer_append(&to->in, weft_buffer_bytes(&from->out), count);
		weft_buffer_consume(&from->out, count);
	}
	return count;
}

void tls_carry(struct tls_pair *p, bool to_server, struct weft_buffer *plain)
{
	struct tls_end *from = to_server ? &p->client : &p->server;
	struct tls_end *to = to_server ? &p->server : &p->client;

	/* a handshake may have left something behind */
	do {
		tls_deliver(from, to, p->fragment);
		tls_end_drain(to, plain);
	} while (to->status == WEFT_AGAIN && weft_buffer_len(&from->out));
}

void tls_pair_create(
	struct tls_pair *p, const struct tls_setting *setting, const struct tls_wish *wish)
{
	memset(p, 0, sizeof(*p));
	p->fragment = setting->fragment;
	tls_end_create(&p->client, setting->client, false, wish);
	tls_end_create(&p->server, setting->server, true, wish);
}

void tls_pair_destroy(struct tls_pair *p)
{
	tls_end_destroy(&p->client);
	tls_end_destroy(&p->server);
}

static bool step(struct tls_pair *p, struct tls_end *from, struct tls_end *to)
{
	if (to->status != WEFT_AGAIN || !tls_deliver(from, to, p->fragment))
		return false;
	tls_end_handshake(to);
	return true;
}

void tls_pair_handshake(struct tls_pair *p)
{
	tls_end_handshake(&p->client);
	while (step(p, &p->client, &p->server) || step(p, &p->server, &p->client)) {
	}
}

void tls_pair_open(
	struct tls_pair *p, const struct tls_setting *setting, const struct tls_wish *wish)
{
	tls_pair_create(p, setting, wish);
	tls_pair_handshake(p);
	if (p->client.status)
		fail_msg("client: %s", p->client.err.text);
	if (p->server.status)
		fail_msg("server: %s", p->server.err.text);
}

void tls_assert_text(const struct weft_error *err, const char *words)
{
	if (!strstr(err->text, words))
		fail_msg("\"%s\" is not in \"%s\"", words, err->text);
}

void tls_need(const struct tls_setting *setting, unsigned client_caps, unsigned server_caps)
{
	unsigned client = client_caps & ~setting->client->ops->caps;
	unsigned server = server_caps & ~setting->server->ops->caps;

	if (client)
		print_message("%s has not caps 0x%x\n", setting->client->name, client);
	if (server)
		print_message("%s has not caps 0x%x\n", setting->server->name, server);
	if (client || server)
		skip();
}

struct weft_tls_info tls_info(const struct tls_end *e)
{
	struct weft_tls_info info;

	memset(&info, 0xa5, sizeof(info));
	e->ops->info(e->session, &info);
	return info;
}
