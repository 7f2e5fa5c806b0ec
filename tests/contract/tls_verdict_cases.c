/* SPDX-License-Identifier: MIT */
/* How a row of the tables of verdicts is tried. */
#include "tests/contract/tls_verdict.h"

#include <string.h>

#include "tests/contract/tls_raw.h"

static const char tls12[] =
	"NORMAL:-VERS-ALL:+VERS-TLS1.2:+SIGN-ALL:%DEBUG_ALLOW_KEY_USAGE_VIOLATIONS";
static const char tls13[] =
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+SIGN-ALL:%DEBUG_ALLOW_KEY_USAGE_VIOLATIONS";

struct outcome {
	enum weft_status status;
	unsigned faults;
	struct weft_error err;
	bool told;
};

static struct outcome meet(
	const struct tls_trial *t, struct tls_wish *wish, const char *version, unsigned allow)
{
	const struct test_cert *shown = wish->shown;
	struct outcome got = { .told = false };
	struct tls_raw raw;
	struct tls_end e;

	wish->allow = wish->server_allow = allow;
	wish->client_auth =
		t->by_server ? WEFT_TLS_CLIENT_AUTH_REQUIRED : WEFT_TLS_CLIENT_AUTH_NONE;
	if (t->by_server)
		wish->shown = NULL; /* the backend's own is good */
	tls_end_create(&e, t->setting->client, t->by_server, wish);
	wish->shown = shown;
	tls_raw_create(&raw, &e, !t->by_server, version, shown);
	tls_raw_handshake(&raw, &e);
	if (e.status < 0)
		(void)gnutls_record_recv(raw.tls, &(char){ 0 }, 1);
	got.status = e.status;
	got.err = e.err;
	got.faults = tls_info(&e).faults;
	got.told = raw.alert < 256 || gnutls_alert_get(raw.tls) > 0;
	tls_raw_destroy(&raw);
	tls_end_destroy(&e);
	return got;
}

static void expect(const struct tls_trial *t, struct tls_wish *wish, const char *version,
	unsigned allow, bool accepted)
{
	const struct tls_verdict *v = t->verdict;
	struct outcome got = meet(t, wish, version, allow);
	char words[200];

	if (accepted && (got.status || got.faults != v->faults))
		fail_msg("%s, allowed 0x%x: %s, faults 0x%x: \"%s\"", version, allow,
			weft_status_name(got.status), got.faults, got.err.text);
	if (accepted)
		return;
	if (got.status != WEFT_ERR_VERIFY || got.err.status != WEFT_ERR_VERIFY)
		fail_msg("%s, allowed 0x%x: %s, faults 0x%x: \"%s\"", version, allow,
			weft_status_name(got.status), got.faults, got.err.text);
	weft_tls_faults_text(v->faults & ~allow, words, sizeof(words));
	if (got.faults != v->faults || strcmp(got.err.text, words))
		fail_msg("%s, allowed 0x%x: faults 0x%x instead of 0x%x: \"%s\"", version, allow,
			got.faults, v->faults, got.err.text);
	if (!got.told)
		fail_msg("%s: the peer was not told", version);
}

static void try_version(const struct tls_trial *t, struct tls_wish *wish, const char *version)
{
	const struct tls_verdict *v = t->verdict;

	expect(t, wish, version, 0, !v->faults);
	if (!v->faults || v->strict_only)
		return;
	expect(t, wish, version, v->faults, true);
	expect(t, wish, version, WEFT_TLS_ALLOW_ALL, true);
	for (unsigned flag = 1; flag < WEFT_TLS_ALLOW_ALL; flag <<= 1) {
		if (v->faults & flag)
			expect(t, wish, version, WEFT_TLS_ALLOW_ALL & ~flag, false);
	}
}

void tls_verdict_is_right(void **state)
{
	const struct tls_trial *t = *state;
	struct tls_wish wish = { .cert = TEST_CERT_GOOD };

	if (t->by_server)
		tls_need(t->setting, 0, WEFT_TLS_CAN_CLIENT_AUTH);
	tls_need(t->setting, t->verdict->caps, 0);
	t->verdict->prepare(
		&wish, t->by_server ? GNUTLS_KP_TLS_WWW_CLIENT : GNUTLS_KP_TLS_WWW_SERVER);
	try_version(t, &wish, tls12);
	if (t->setting->client->ops->caps & WEFT_TLS_CAN_TLS13)
		try_version(t, &wish, tls13);
}
