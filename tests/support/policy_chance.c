/* SPDX-License-Identifier: MIT */
/* Dice, and what they make of a policy. */
#include "tests/support/policy_chance.h"

#include <stdio.h>
#include <string.h>

enum {
	CONTENTS = 4,
	UNSURE = 3, /* the content that does not have the server's CA */
};

uint64_t dice_state;

uint32_t dice(uint32_t sides)
{
	dice_state = dice_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(dice_state >> 33) % sides;
}

static unsigned made;
static const unsigned lingers_s[] = { 0, 0, 1000, 3000 }, warms_s[] = { 0, 2000, CHANCE_WARM_S };

void chance_invent(struct pm_wish *all)
{
	made++;
	for (unsigned i = 0; i < PM_NAMES; i++) {
		struct pm_wish *p = &all[i];

		memset(p, 0, sizeof(*p));
		snprintf(p->store, sizeof(p->store), "p%u-%u", made % 100000, i);
		p->content = dice(4) ? dice(2) : dice(CONTENTS);
		p->hold = dice(PM_HOLDERS);
		p->linger_s = lingers_s[dice(4)];
		p->warm_s = warms_s[dice(3)];
		p->warm_holds = dice(2);
		p->alone = !dice(5);
		p->who = !dice(6);
		p->refused = !dice(8);
		p->unsure = p->content == UNSURE;
		p->way = dice(2) + 2 * p->refused;
	}
}

static const struct test_cert *const *content(unsigned number)
{
	static const struct test_cert *all[CONTENTS][3], *further;

	if (!further)
		further = test_mint(&(struct test_recipe){ .ca = true, .self_signed = true });
	all[0][0] = all[1][0] = all[2][0] = test_certs_ca();
	all[1][1] = all[3][0] = test_certs_other_ca();
	all[2][1] = further;
	return all[number];
}

const struct weft_policy *chance_write(const struct pm_wish *all, unsigned port, bool bad)
{
	static const char *const names[PM_NAMES] = { "0", "1", "2", "3", "4", "5", "6", "7", "8",
		"9" };
	static const struct weft_policy_value path = { .key = "path", .text = "/${id}" };
	static const struct weft_policy_metadata id = { .name = "id" };
	struct tables *t = tables_make("chance");
	const struct weft_policy_credential *who =
		tables_credential(t, "device", "app:cert", "app:key");

	for (unsigned i = 0; i < PM_NAMES + (unsigned)bad; i++) {
		const struct pm_wish *p = &all[i % PM_NAMES];
		struct weft_policy_trust *trust =
			tables_trust(t, tables_text(t, p->store), content(p->content));
		struct weft_policy_stream *s;

		trust->hold = i == PM_NAMES ? WEFT_HOLD_POLICY : (enum weft_hold)p->hold;
		trust->linger_ms = p->linger_s * 1000;
		s = tables_stream(
			t, i == PM_NAMES ? "bad" : names[i], "h1", p->refused ? 1 : port, trust);
		s->keep_warm_ms = p->warm_s == CHANCE_WARM_S ? UINT32_MAX : p->warm_s * 1000;
		s->warm_holds = p->warm_holds;
		s->share = p->alone ? WEFT_SHARE_ALONE : WEFT_SHARE_POOL;
		s->sni = p->way % 2 ? "a.example.test" : NULL;
		s->credential = p->who && i < PM_NAMES ? who : NULL;
		s->values = &path;
		s->value_count = 1;
		s->metadata = &id;
		s->metadata_count = 1;
		if (i == PM_NAMES)
			tables_junk(t, trust);
	}
	return tables_loaded(t);
}

static enum weft_status provide(
	void *user, const char *name, struct weft_policy_secret *out, struct weft_error *err)
{
	const struct test_cert *cert = test_cert(TEST_CERT_CLIENT);
	bool key = !strcmp(name, "key");

	(void)user;
	(void)err;
	out->pem = (struct weft_span){ (const unsigned char *)(key ? cert->key : cert->cert),
		key ? cert->key_len : cert->cert_len };
	return WEFT_OK;
}

const struct weft_policy_use chance_use = { .size = sizeof(chance_use), .provide = provide };
