/* SPDX-License-Identifier: MIT */
/*
 * The client's pool with a server that does as the input says, over HTTP/1.1, HTTP/2, or HTTP/2 over TLS with several
 * hosts that may share a connection: the server of the table of endings, whose every connection ends in a way and at a
 * point of its own. Each stream ends exactly once, with its own bytes or its own error, and nobody who may have acted
 * on a POST is asked for it again. A host's own connection serves it, another's perhaps; then nobody hears of it.
 *
 * Input: a byte for the protocol; how many connections are ended, and for each of them a way and a point; then what
 * the application does: opens, gives up, waits.
 */
#include "tests/support/certs.h"
#include "tests/support/ender.h"

#include "tests/fuzz/fuzz.h"

enum { STRIKES = 12, ASKS = 12, TURNS = 3000, QUIET_MS = 20, HOSTS = 3 };

static const uint8_t *input;
static size_t input_len;
static unsigned strikes;
static struct ender ender;
static struct duo duo;
static struct ask asks[ASKS];
static bool posts[ASKS], given_up[ASKS];
static unsigned asked;
static unsigned strict; /* a bit for each host that is served on its own connection alone */

static unsigned next(unsigned sides)
{
	if (!input_len)
		return 0;
	input_len--;
	return *input++ % sides;
}

static bool is_reset(enum ender_way way)
{
	return way >= ENDER_REFUSED && way <= ENDER_HTTP_1_1;
}

static bool is_frame(enum ender_way way)
{
	return is_reset(way) || way == ENDER_FEWER || way == ENDER_NONE ||
	       (way >= ENDER_GOAWAY_BELOW && way <= ENDER_GOAWAY_TWICE);
}

/* As in the table: the others have no meaning, or cannot be told from a good answer. */
static bool applies(enum ender_way way, enum ender_point point)
{
	if (is_frame(way) && (!ender.h2 || point == ENDER_HEAD))
		return false;
	if (is_reset(way) && (point < ENDER_HALF || point == ENDER_IDLE))
		return false;
	if (way == ENDER_CUT || (way == ENDER_CLOSE && point != ENDER_ASKED))
		return false;
	if (way == ENDER_UNASKED) /* with a request under way it is the answer to it */
		return false;
	return ender.h2 ||
	       (point != ENDER_BEFORE && !(way == ENDER_MALFORMED && point == ENDER_BODY));
}

static void plan(struct ender *e, unsigned number)
{
	enum ender_way way = ENDER_CLEAN;
	enum ender_point point = ENDER_ASKED;

	if (strikes) {
		strikes--;
		way = (enum ender_way)next(ENDER_WAYS);
		point = (enum ender_point)next(ENDER_POINTS);
	}
	e->striking = number;
	e->struck = false;
	e->later = 0;
	e->way = applies(way, point) ? way : ENDER_CLEAN;
	e->point = point;
}

/* The one that is asked for is no secret to the server: it has its number. */
static void name_host(unsigned id, char *host, size_t len)
{
	snprintf(host, len, "h%u.example.test", id % HOSTS);
}

static bool misdirects(const struct ender *e, const struct ender_sight *s)
{
	char told[64] = "", asked_for[64];
	size_t len = sizeof(told) - 1;
	unsigned type;

	name_host(s->id, asked_for, sizeof(asked_for));
	must(!gnutls_server_name_get(e->lines[s->line].tls, told, &len, &type, 0));
	return strcmp(told, asked_for) != 0 && (strict >> s->id % HOSTS & 1);
}

static void open_one(bool post)
{
	static const char *const names[][2] = { { "http/1.1", NULL }, { "h2", NULL } };
	char url[96], host[32], place[32];
	struct weft_request r = { .header_ms = QUIET_MS,
		.idle_ms = QUIET_MS,
		.total_ms = 20 * QUIET_MS,
		.stream.alpn = names[ender.h2],
		.stream.handshake_ms = QUIET_MS };

	if (asked == ASKS)
		return;
	if (ender.tls) {
		name_host(10 + asked, host, sizeof(host));
		snprintf(url, sizeof(url), "https://%s:%u/digest/%u", host, ender.port, 10 + asked);
		snprintf(place, sizeof(place), "127.0.0.1:%u", ender.port);
		r.url = url;
		r.connect_to = place;
		r.stream.coalesce = next(4) != 0;
		r.stream.handshake_ms = 10 * QUIET_MS;
	}
	posts[asked] = post;
	given_up[asked] = false;
	ask_open(&asks[asked], &duo, 10 + asked, post, &r);
	asked++;
}

static void turns(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		must(weft_context_turn(duo.client, 0) >= 0);
		ender_turn(&ender);
	}
}

static void act(void)
{
	unsigned i;

	switch (next(6)) {
	case 0:
	case 1:
		open_one(false);
		break;
	case 2:
		open_one(true);
		break;
	case 3:
		i = next(ASKS);
		if (i < asked && asks[i].stream && !asks[i].closed) {
			given_up[i] = true;
			weft_stream_close(asks[i].stream);
		}
		break;
	case 4:
		turns(1 + next(8));
		break;
	default:
		ender.idle = !ender.idle;
		turns(1);
	}
}

static bool all_closed(void)
{
	for (unsigned i = 0; i < asked; i++) {
		if (!asks[i].closed)
			return false;
	}
	return true;
}

static void judge(unsigned i)
{
	const struct ask *a = &asks[i];
	char digest[17];

	must(a->closes == 1);
	ask_digest(a->id, a->body, strlen(a->body), digest);
	if (!a->why.status && !given_up[i]) {
		must(a->status == 200 && a->got_len == 16);
		must(!memcmp(a->got, digest, 16));
	} else {
		must(given_up[i] || a->why.text[0]);
		must(a->got_len <= 16 && !memcmp(a->got, digest, a->got_len));
	}
	must(!posts[i] || ender_count(&ender, a->id) <= 1);
}

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

/* The server, and a client's context for it. A build without TLS has no hosts that share. */
static void begin(void)
{
	struct weft_context_options o = {
		.event = "poll", .tls = "none", .log = no_log, .linger_ms = 1, .max_conns = 2
	};
	unsigned how = next(3);
	struct weft_error err;

	if (how > 1)
		o.tls = NULL;
	must(!weft_context_create(&o, &duo.client, &err));
	ender.h2 = how > 0;
	if (strcmp(weft_context_tls(duo.client), "none") != 0) {
		const struct test_cert *ca = test_certs_ca();

		ender.tls = true;
		ender.misdirects = misdirects;
		strict = next(1 << HOSTS);
		duo.trust.ca = (struct weft_span){ (const unsigned char *)ca->cert, ca->cert_len };
	}
	strikes = next(STRIKES);
	ender.script = plan;
	ender_open(&ender);
	snprintf(duo.base, sizeof(duo.base), "http://127.0.0.1:%u", ender.port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len < 3 || len > 128)
		return 0;
	input = data;
	input_len = len;
	memset(&ender, 0, sizeof(ender));
	memset(asks, 0, sizeof(asks));
	memset(&duo, 0, sizeof(duo));
	asked = 0;
	begin();
	while (input_len)
		act();
	for (unsigned i = 0; i < TURNS && !all_closed(); i++) {
		must(weft_context_turn(duo.client, 1) >= 0);
		ender_turn(&ender);
	}
	must(all_closed());
	for (unsigned i = 0; i < asked; i++)
		judge(i);
	weft_context_destroy(duo.client, 0, NULL, NULL);
	ender_close(&ender);
	return 0;
}
