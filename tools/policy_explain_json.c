/* SPDX-License-Identifier: MIT */
/* weft policy explain --json: the same for machines. */
#include <jansson.h>
#include <string.h>

#include "policy_explain.h"

static json_t *texts(const char *const *all)
{
	json_t *array = json_array();

	for (; all && *all; all++)
		json_array_append_new(array, json_string(*all));
	return array;
}

static json_t *fields_json(const struct weft_policy_plan *p)
{
	json_t *array = json_array();

	for (size_t i = 0; i < p->field_count; i++)
		json_array_append_new(
			array, json_pack("[s%, s%]", p->fields[i].name, p->fields[i].name_len,
				       p->fields[i].value, p->fields[i].value_len));
	return array;
}

/* What "none" is for people is empty here. */
static json_t *allow_json(unsigned allow)
{
	char words[128], *rest, *word;
	json_t *array = json_array();

	policy_allow_words(allow, words);
	for (word = strtok_r(words, " ", &rest); allow && word; word = strtok_r(NULL, " ", &rest))
		json_array_append_new(array, json_string(word));
	return array;
}

static json_t *authorities_json(const struct explain *e, const struct weft_policy_trust *t)
{
	json_t *array = json_array();
	struct weft_policy_cert cert;
	struct weft_error err;

	for (size_t i = 0; t && i < t->ca_count; i++) {
		if (weft_policy_cert_read(e->registry, e->o->tls, t->ca[i], &cert, &err) == WEFT_OK)
			json_array_append_new(
				array, json_pack("{s:s, s:I, s:I}", "subject", cert.subject,
					       "not_before", (json_int_t)cert.not_before,
					       "not_after", (json_int_t)cert.not_after));
	}
	return array;
}

static json_t *pins_json(const struct weft_policy_trust *t)
{
	char text[POLICY_PIN_TEXT];
	json_t *array = json_array();

	for (size_t i = 0; t && i < t->pin_count; i++)
		json_array_append_new(array, json_string(policy_pin_text(t->pins[i], text)));
	return array;
}

static json_t *trust_json(const struct explain *e)
{
	static const struct weft_policy_trust of_the_system = { .name = "system", .system = true };
	const struct weft_policy_stream *s = e->plan.stream;
	const struct weft_policy_trust *t = s->trust ? s->trust : &of_the_system;

	return json_pack("{s:s, s:o, s:i, s:o, s:b, s:i, s:i, s:o, s:o, s:s, s:s, s:i, s:i}",
		"name", t->name, "certs", texts(t->certs), "certificates", (int)t->ca_count,
		"authorities", authorities_json(e, t), "system", t->system, "crls",
		(int)t->crl_count, "pins", (int)t->pin_count, "pins_sha256", pins_json(t), "allow",
		allow_json(s->allow), "hold", policy_hold_word(t->hold), "verify_dates",
		policy_dates_word(t->verify_dates), "linger_ms", (int)t->linger_ms, "keep_tickets",
		(int)t->keep_tickets);
}

/* Only what the policy sets; the rest is the context's. */
static json_t *limits_json(const struct weft_policy_stream *s)
{
	const struct {
		const char *key;
		uint32_t value;
	} all[] = {
		{ "connect_ms", s->connect_ms },
		{ "handshake_ms", s->handshake_ms },
		{ "header_ms", s->header_ms },
		{ "idle_ms", s->idle_ms },
		{ "flush_ms", s->flush_ms },
		{ "queue_ms", s->queue_ms },
		{ "timeout_ms", s->timeout_ms },
		{ "window_bytes", s->window_bytes },
		{ "write_high_bytes", s->write_high_bytes },
		{ "max_in_flight_bytes", s->max_in_flight_bytes },
	};
	json_t *o = json_object();

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i].value)
			json_object_set_new(o, all[i].key, json_integer(all[i].value));
	}
	return o;
}

/* How long the connection stays behind the stream; null: as long as the context says. */
static json_t *warm_json(const struct weft_policy_stream *s)
{
	return s->keep_warm_ms == UINT32_MAX ? json_null() : json_integer(s->keep_warm_ms);
}

static void add_sharing(const struct explain *e, json_t *o)
{
	json_t *with = json_array(), *unknown = json_array();
	struct weft_error why;

	for (size_t i = 0; i < e->policy->stream_count; i++) {
		const struct weft_policy_stream *other = &e->policy->streams[i];
		enum sharing sharing = explain_sharing(e, other, &why);

		if (sharing != SHARES_NOT)
			json_array_append_new(
				sharing == SHARES ? with : unknown, json_string(other->name));
	}
	json_object_set_new(o, "shares_with", with);
	json_object_set_new(o, "may_share_with", unknown);
}

void explain_json(const struct explain *e)
{
	const struct weft_policy_plan *p = &e->plan;
	const struct weft_policy_stream *s = p->stream;
	json_t *o =
		json_pack("{s:s, s:s, s:s, s:i, s:s?, s:s, s:b, s:o, s:s, s:s?, s:o, s:s?, s:s?}",
			"stream", s->name, "url", p->url, "host", p->host, "port", (int)p->port,
			"connect_to", p->connect_to, "role", p->role, "tls", s->tls, "alpn",
			texts(p->alpn), "sni", p->sni, "method", p->method, "fields",
			fields_json(p), "proxy", s->proxy, "local_address", s->local_address);

	if (s->tls)
		json_object_set_new(o, "trust", trust_json(e));
	json_object_set_new(
		o, "credential", s->credential ? json_string(s->credential->name) : json_null());
	json_object_set_new(
		o, "share", json_string(s->share == WEFT_SHARE_POOL ? "pool" : "alone"));
	json_object_set_new(o, "keep_warm_ms", warm_json(s));
	json_object_set_new(o, "warm_holds", json_boolean(s->warm_holds));
	json_object_set_new(o, "coalesce", json_boolean(s->coalesce));
	json_object_set_new(o, "limits", limits_json(s));
	json_object_set_new(o, "retry", s->retry ? json_string(s->retry->name) : json_null());
	json_object_set_new(o, "nailed_up", json_boolean(s->nailed_up));
	json_object_set_new(o, "opportunistic", json_boolean(s->opportunistic));
	add_sharing(e, o);
	json_dumpf(o, stdout, JSON_COMPACT);
	printf("\n");
	json_decref(o);
}
