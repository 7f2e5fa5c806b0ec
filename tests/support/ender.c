/* SPDX-License-Identifier: MIT */
/* The server of endings: sockets, TLS, and when it ends what. */
#include "tests/support/ender.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/certs.h"

void ender_say(struct ender_line *l, const void *bytes, size_t len)
{
	ssize_t n;

	if (l->fd < 0 || l->said_fin)
		return;
	/* small, and read by a client of this thread: what does not fit is lost with a broken connection */
	n = l->tls ? gnutls_record_send(l->tls, bytes, len) : send(l->fd, bytes, len, MSG_NOSIGNAL);
	(void)n;
}

static void drop(struct ender_line *l)
{
	if (l->fd >= 0)
		close(l->fd);
	if (l->tls)
		gnutls_deinit(l->tls);
	if (l->inflater)
		nghttp2_hd_inflate_del(l->inflater);
	l->fd = -1;
	l->tls = NULL;
	l->inflater = NULL;
}

void ender_fin(struct ender_line *l)
{
	if (l->tls && l->shaken)
		(void)gnutls_bye(l->tls, GNUTLS_SHUT_WR);
	shutdown(l->fd, SHUT_WR);
	l->said_fin = l->deaf = true;
}

struct ender_sight *ender_see(struct ender *e, struct ender_line *l, unsigned id)
{
	struct ender_sight *s = &e->seen[e->sights++];

	assert_true(e->sights <= ENDER_SIGHTS);
	*s = (struct ender_sight){ .line = l->number, .id = id };
	return s;
}

size_t ender_body(struct ender_sight *s, const unsigned char *bytes, size_t len)
{
	size_t n = len < s->left ? len : s->left;

	assert_true(s->body_len + n <= sizeof(s->body));
	memcpy(s->body + s->body_len, bytes, n);
	s->body_len += n;
	s->left -= n;
	s->whole = !s->left;
	return n;
}

unsigned ender_count(const struct ender *e, unsigned id)
{
	unsigned n = 0;

	for (unsigned i = 0; i < e->sights; i++)
		n += e->seen[i].id == id && !e->seen[i].disclaimed;
	return n;
}

static void strike(struct ender *e, struct ender_line *l, struct ender_sight *s)
{
	static const struct linger hard = { .l_onoff = 1 };
	static const char unasked[] = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n"
				      "Content-Length: 0\r\n\r\n";

	e->struck = true;
	switch (e->way) {
	case ENDER_CLEAN:
	case ENDER_CLOSE:
		return;
	case ENDER_FIN:
		ender_fin(l);
		return;
	case ENDER_CUT:
		shutdown(l->fd, SHUT_WR);
		l->said_fin = l->deaf = true;
		return;
	case ENDER_RST:
		setsockopt(l->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		drop(l);
		return;
	case ENDER_SILENCE:
		l->deaf = true;
		return;
	case ENDER_UNASKED:
		ender_say(l, unasked, sizeof(unasked) - 1);
		ender_fin(l);
		return;
	case ENDER_MALFORMED:
		if (e->h2)
			ender_h2_strike(e, l, s);
		else
			ender_say(l, "\x01what is this?\r\n\r\n", 18);
		ender_fin(l);
		return;
	default:
		ender_h2_strike(e, l, s);
	}
}

/* ---- answers ---- */

static void part(struct ender *e, struct ender_line *l, struct ender_sight *s, unsigned which)
{
	s->begun = true;
	if (e->h2)
		ender_h2_answer(e, l, s, which);
	else
		ender_h1_answer(e, l, s, which);
}

static bool strikes_at(const struct ender *e, const struct ender_line *l, enum ender_point point)
{
	return l->number == e->striking && !e->struck && e->point == point;
}

static void answer(struct ender *e, struct ender_line *l, struct ender_sight *s)
{
	if (e->misdirects && e->misdirects(e, s)) {
		ender_h2_misdirected(l, s);
		return;
	}
	for (unsigned i = 0; i < 3; i++) {
		if (strikes_at(e, l, ENDER_ASKED + i))
			strike(e, l, s);
		if (l->deaf || l->fd < 0 || s->disclaimed || s->answered)
			return;
		part(e, l, s, i);
	}
	s->answered = true;
	if (l->number == e->striking && e->way == ENDER_CLOSE && e->struck)
		ender_fin(l);
}

/* The first that is to be answered; NULL: none. whole: how many of them all are there. */
static struct ender_sight *next(struct ender *e, const struct ender_line *l, unsigned *whole)
{
	struct ender_sight *found = NULL;

	*whole = 0;
	for (unsigned i = 0; i < e->sights; i++) {
		struct ender_sight *s = &e->seen[i];

		if (s->line != l->number)
			continue;
		*whole += s->whole;
		if (s->whole && !s->answered && !s->disclaimed && !found)
			found = s;
	}
	return found;
}

static bool says_goodbye(const struct ender *e)
{
	return e->struck && e->way >= ENDER_GOAWAY_BELOW && e->way <= ENDER_GOAWAY_TWICE;
}

static void serve(struct ender *e, struct ender_line *l)
{
	struct ender_sight *s;
	bool half = false;
	unsigned whole;

	for (unsigned i = 0; i < e->sights; i++) {
		s = &e->seen[i];
		if (s->line == l->number && !s->whole && strikes_at(e, l, ENDER_HALF) &&
			s->body_len)
			strike(e, l, s);
		half = half || (s->line == l->number && !s->whole && !s->disclaimed);
	}
	while (!l->deaf && l->fd >= 0 && (s = next(e, l, &whole))) {
		if (e->h2 && l->number == e->striking && !e->struck && e->point < ENDER_IDLE &&
			whole < e->expected)
			return;
		answer(e, l, s);
	}
	if (l->number == e->striking && e->idle && strikes_at(e, l, ENDER_IDLE))
		strike(e, l, NULL);
	if (l->number == e->striking && says_goodbye(e) && !half && !l->deaf && l->fd >= 0)
		ender_fin(l);
}

/* ---- connections ---- */

static void start_tls(struct ender *e, struct ender_line *l)
{
	gnutls_datum_t name = { (unsigned char *)(e->h2 ? "h2" : "http/1.1"), e->h2 ? 2 : 8 };

	assert_int_equal(gnutls_init(&l->tls, GNUTLS_SERVER | GNUTLS_NONBLOCK), 0);
	assert_int_equal(gnutls_set_default_priority(l->tls), 0);
	gnutls_credentials_set(l->tls, GNUTLS_CRD_CERTIFICATE, e->credentials);
	gnutls_alpn_set_protocols(l->tls, &name, 1, 0);
	gnutls_transport_set_int(l->tls, l->fd);
}

static void accept_one(struct ender *e)
{
	int fd = accept(e->listener, NULL, NULL), now = 1;
	struct ender_line *l = &e->lines[e->count];

	if (fd < 0)
		return;
	assert_true(e->count < ENDER_LINES);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	/* an answer in pieces would wait for the client's system to tell that it has the first */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &now, sizeof(now));
	memset(l, 0, sizeof(*l));
	l->fd = fd;
	l->number = e->count++;
	if (e->script)
		e->script(e, l->number);
	if (e->tls)
		start_tls(e, l);
	if (strikes_at(e, l, ENDER_ACCEPTED))
		strike(e, l, NULL);
}

/* TLS: whether it is up. */
static bool shake(struct ender *e, struct ender_line *l)
{
	char byte;
	int code;

	if (!l->tls || l->shaken)
		return true;
	if (!e->h2 && strikes_at(e, l, ENDER_BEFORE)) {
		if (recv(l->fd, &byte, 1, MSG_PEEK) > 0)
			strike(e, l, NULL);
		if (e->way != ENDER_CLEAN)
			return false;
	}
	code = gnutls_handshake(l->tls);
	l->shaken = code == GNUTLS_E_SUCCESS;
	if (code < 0 && gnutls_error_is_fatal(code))
		drop(l);
	return l->shaken;
}

static ssize_t receive(struct ender_line *l, void *to, size_t len)
{
	ssize_t n;

	if (!l->tls)
		return recv(l->fd, to, len, 0);
	n = gnutls_record_recv(l->tls, to, len);
	errno = EAGAIN;
	if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
		return -1;
	errno = ECONNRESET;
	return n;
}

static void line_turn(struct ender *e, struct ender_line *l)
{
	char waste[256];
	ssize_t n;

	if (l->deaf && l->tls && !l->shaken) {
		if (l->said_fin && recv(l->fd, waste, sizeof(waste), 0) == 0)
			drop(l);
		return;
	}
	if (!shake(e, l))
		return;
	while ((n = receive(l, l->in + l->len, ENDER_BYTES - 1 - l->len)) > 0) {
		l->len += (size_t)n;
		l->in[l->len] = '\0';
		if (e->h2)
			ender_h2_input(e, l);
		else
			ender_h1_input(e, l);
	}
	if (n == 0 || errno != EAGAIN) {
		drop(l);
		return;
	}
	if (e->h2 && l->inflater && strikes_at(e, l, ENDER_BEFORE)) {
		strike(e, l, NULL);
		if (!l->prefaced && e->way == ENDER_CLEAN)
			ender_h2_strike(e, l, NULL);
	}
	if (!l->deaf && l->fd >= 0)
		serve(e, l);
}

void ender_turn(struct ender *e)
{
	static const unsigned char eight[] = { 0, 3, 0, 0, 0, 8 };

	accept_one(e);
	for (unsigned i = 0; i < e->count; i++) {
		if (e->lines[i].fd >= 0)
			line_turn(e, &e->lines[i]);
	}
	if (e->later && !--e->later)
		ender_h2_frame(&e->lines[e->striking], NGHTTP2_SETTINGS, 0, 0, eight, 6);
}

void ender_open(struct ender *e)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	const struct test_cert *good = test_cert(TEST_CERT_GOOD);
	gnutls_datum_t cert = { (unsigned char *)good->cert, (unsigned)good->cert_len };
	gnutls_datum_t key = { (unsigned char *)good->key, (unsigned)good->key_len };
	socklen_t len = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	e->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_true(e->listener >= 0);
	assert_int_equal(bind(e->listener, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(e->listener, 64), 0);
	assert_int_equal(getsockname(e->listener, (struct sockaddr *)&at, &len), 0);
	e->port = ntohs(at.sin_port);
	if (!e->tls)
		return;
	assert_int_equal(gnutls_certificate_allocate_credentials(&e->credentials), 0);
	assert_int_equal(gnutls_certificate_set_x509_key_mem(
				 e->credentials, &cert, &key, GNUTLS_X509_FMT_PEM),
		0);
}

void ender_close(struct ender *e)
{
	for (unsigned i = 0; i < e->count; i++)
		drop(&e->lines[i]);
	close(e->listener);
	if (e->credentials)
		gnutls_certificate_free_credentials(e->credentials);
}
