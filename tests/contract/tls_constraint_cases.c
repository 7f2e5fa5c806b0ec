/* SPDX-License-Identifier: MIT */
/* Which names a certificate is good for (RFC 9525), and which its issuers may speak for (RFC 5280 4.2.1.10). */
#include <string.h>

#include "tests/contract/tls_verdict.h"

static const unsigned char v4[] = { 127, 0, 0, 1 }, v4_other[] = { 127, 0, 0, 2 };
static const unsigned char v6[16] = { [15] = 1 }, v6_other[16] = { [15] = 2 };
static const unsigned char other_net[] = { 10, 0, 0, 0, 255, 0, 0, 0 };

/* ---- names ---- */

static void look_up(
	struct tls_wish *w, const char *purpose, const char *host, const char *const *dns)
{
	w->shown = test_mint(&(struct test_recipe){ .dns = dns, .purpose = purpose });
	w->host = host;
}

static void one(struct tls_wish *w, const char *purpose, const char *host, const char *name)
{
	const char *const dns[] = { name, NULL };

	look_up(w, purpose, host, dns);
}

static void other_host(struct tls_wish *w, const char *purpose)
{
	one(w, purpose, "other.test", "localhost");
}

static void any_case(struct tls_wish *w, const char *purpose)
{
	one(w, purpose, "WwW.example.TEST", "www.EXAMPLE.test");
}

static void second_name(struct tls_wish *w, const char *purpose)
{
	static const char *const dns[] = { "a.test", "b.test", NULL };

	look_up(w, purpose, "b.test", dns);
}

static void common_name(struct tls_wish *w, const char *purpose)
{
	look_up(w, purpose, "localhost", NULL);
}

static void common_name_beside_address(struct tls_wish *w, const char *purpose)
{
	w->shown = test_mint(&(struct test_recipe){
		.subject = "CN=www.example.test", .named = true, .purpose = purpose });
	w->host = "www.example.test";
}

static void wildcard(struct tls_wish *w, const char *purpose)
{
	one(w, purpose, "www.example.test", "*.example.test");
}

static void wildcard_deep(struct tls_wish *w, const char *purpose)
{
	one(w, purpose, "a.b.example.test", "*.example.test");
}

static void wildcard_none(struct tls_wish *w, const char *purpose)
{
	one(w, purpose, "example.test", "*.example.test");
}

static void wildcard_empty(struct tls_wish *w, const char *purpose)
{
	one(w, purpose, ".example.test", "*.example.test");
}

static void wildcard_part(struct tls_wish *w, const char *purpose)
{
	one(w, purpose, "www.example.test", "w*.example.test");
}

static void wildcard_inner(struct tls_wish *w, const char *purpose)
{
	one(w, purpose, "www.example.test", "www.*.test");
}

static void wildcard_double(struct tls_wish *w, const char *purpose)
{
	one(w, purpose, "www.example.test", "*.*.test");
}

static void wildcard_top(struct tls_wish *w, const char *purpose)
{
	one(w, purpose, "example.test", "*.test");
}

static void wildcard_bare(struct tls_wish *w, const char *purpose)
{
	one(w, purpose, "localhost", "*");
}

static void wildcard_idn(struct tls_wish *w, const char *purpose)
{
	one(w, purpose, "xn--bcher-kva.example.test", "*.example.test");
}

static void idn(struct tls_wish *w, const char *purpose)
{
	one(w, purpose, "xn--bcher-kva.test", "xn--bcher-kva.test");
}

/* Names are compared as A-labels: what is no such thing fits nothing. */
static void idn_raw(struct tls_wish *w, const char *purpose)
{
	static const char name[] = "b\xc3\xbc"
				   "cher.test";

	w->shown = test_mint(&(struct test_recipe){
		.raw_dns = name, .raw_dns_len = sizeof(name) - 1, .purpose = purpose });
	w->host = "xn--bcher-kva.test";
}

static void dot_behind_name(struct tls_wish *w, const char *purpose)
{
	one(w, purpose, "www.example.test", "www.example.test.");
}

static void dot_behind_host(struct tls_wish *w, const char *purpose)
{
	one(w, purpose, "www.example.test.", "www.example.test");
}

static void nul_inside(struct tls_wish *w, const char *purpose)
{
	static const char name[] = "localhost\0.evil.test";

	w->shown = test_mint(&(struct test_recipe){
		.raw_dns = name, .raw_dns_len = sizeof(name) - 1, .purpose = purpose });
	w->host = "localhost";
}

static void prefix(struct tls_wish *w, const char *purpose)
{
	one(w, purpose, "example.test", "www.example.test");
}

static void suffix(struct tls_wish *w, const char *purpose)
{
	one(w, purpose, "notexample.test", "example.test");
}

static void address(struct tls_wish *w, const char *purpose, const unsigned char *ip, size_t len)
{
	w->shown = test_mint(&(struct test_recipe){ .named = true, .purpose = purpose });
	w->ip = (struct weft_span){ ip, len };
}

static void address4(struct tls_wish *w, const char *purpose)
{
	address(w, purpose, v4, 4);
}

static void address6(struct tls_wish *w, const char *purpose)
{
	address(w, purpose, v6, 16);
}

static void other_address4(struct tls_wish *w, const char *purpose)
{
	address(w, purpose, v4_other, 4);
}

static void other_address6(struct tls_wish *w, const char *purpose)
{
	address(w, purpose, v6_other, 16);
}

static void address_as_name(struct tls_wish *w, const char *purpose)
{
	static const char *const dns[] = { "127.0.0.1", NULL };

	w->shown = test_mint(
		&(struct test_recipe){ .subject = "CN=127.0.0.1", .dns = dns, .purpose = purpose });
	w->ip = (struct weft_span){ v4, 4 };
}

const struct tls_verdict tls_name_verdicts[] = {
	{ .name = "other_host_is_refused", .prepare = other_host, .faults = WEFT_TLS_WRONG_HOST },
	{ .name = "case_of_a_name_is_no_matter", .prepare = any_case },
	{ .name = "second_name_counts", .prepare = second_name },
	{ .name = "common_name_is_no_name", .prepare = common_name, .faults = WEFT_TLS_WRONG_HOST },
	{ .name = "common_name_beside_others_is_no_name",
		.prepare = common_name_beside_address,
		.faults = WEFT_TLS_WRONG_HOST },
	{ .name = "wildcard_stands_for_a_label", .prepare = wildcard },
	{ .name = "wildcard_is_not_two_labels",
		.prepare = wildcard_deep,
		.faults = WEFT_TLS_WRONG_HOST },
	{ .name = "wildcard_is_not_no_label",
		.prepare = wildcard_none,
		.faults = WEFT_TLS_WRONG_HOST },
	{ .name = "wildcard_is_not_an_empty_label",
		.prepare = wildcard_empty,
		.faults = WEFT_TLS_WRONG_HOST },
	{ .name = "wildcard_is_no_part_of_a_label",
		.prepare = wildcard_part,
		.faults = WEFT_TLS_WRONG_HOST },
	{ .name = "wildcard_is_left_most",
		.prepare = wildcard_inner,
		.faults = WEFT_TLS_WRONG_HOST },
	{ .name = "wildcard_comes_once",
		.prepare = wildcard_double,
		.faults = WEFT_TLS_WRONG_HOST },
	{ .name = "wildcard_below_a_top_level_is_refused",
		.prepare = wildcard_top,
		.faults = WEFT_TLS_WRONG_HOST },
	{ .name = "wildcard_alone_is_refused",
		.prepare = wildcard_bare,
		.faults = WEFT_TLS_WRONG_HOST },
	{ .name = "wildcard_stands_for_an_idn_label", .prepare = wildcard_idn },
	{ .name = "idn_is_compared_as_a_label", .prepare = idn },
	{ .name = "idn_in_utf8_is_refused", .prepare = idn_raw, .faults = WEFT_TLS_WRONG_HOST },
	{ .name = "dot_behind_the_name_is_refused",
		.prepare = dot_behind_name,
		.faults = WEFT_TLS_WRONG_HOST },
	{ .name = "dot_behind_the_host_is_refused",
		.prepare = dot_behind_host,
		.faults = WEFT_TLS_WRONG_HOST },
	{ .name = "nul_inside_a_name_is_refused",
		.prepare = nul_inside,
		.faults = WEFT_TLS_WRONG_HOST },
	{ .name = "name_with_more_in_front_is_refused",
		.prepare = prefix,
		.faults = WEFT_TLS_WRONG_HOST },
	{ .name = "host_with_more_in_front_is_refused",
		.prepare = suffix,
		.faults = WEFT_TLS_WRONG_HOST },
	{ .name = "ipv4_address_is_found", .prepare = address4 },
	{ .name = "ipv6_address_is_found", .prepare = address6 },
	{ .name = "other_ipv4_address_is_refused",
		.prepare = other_address4,
		.faults = WEFT_TLS_WRONG_HOST },
	{ .name = "other_ipv6_address_is_refused",
		.prepare = other_address6,
		.faults = WEFT_TLS_WRONG_HOST },
	{ .name = "address_written_as_a_name_is_refused",
		.prepare = address_as_name,
		.faults = WEFT_TLS_WRONG_HOST },
};
const size_t tls_name_verdict_count = sizeof(tls_name_verdicts) / sizeof(*tls_name_verdicts);

/* ---- constraints of issuers ---- */

static void constrained(
	struct tls_wish *w, const char *purpose, struct test_recipe ca, const char *name)
{
	const struct test_cert *chain[3] = { NULL };
	const char *const dns[] = { name, NULL };

	ca.subject = "CN=Weft constrained";
	ca.ca = true;
	chain[1] = test_mint(&ca);
	chain[0] = test_mint(
		&(struct test_recipe){ .dns = dns, .purpose = purpose, .issuer = chain[1] });
	w->shown = test_mint_chain(chain);
	w->host = name;
}

static void permitted(struct tls_wish *w, const char *purpose)
{
	constrained(w, purpose,
		(struct test_recipe){ .permit_dns = "example.test", .constraints_critical = true },
		"www.example.test");
}

static void permitted_not_critical(struct tls_wish *w, const char *purpose)
{
	constrained(w, purpose, (struct test_recipe){ .permit_dns = "example.test" },
		"www.example.test");
}

static void not_permitted(struct tls_wish *w, const char *purpose)
{
	constrained(w, purpose,
		(struct test_recipe){ .permit_dns = "example.test", .constraints_critical = true },
		"www.other.test");
}

static void not_permitted_not_critical(struct tls_wish *w, const char *purpose)
{
	constrained(
		w, purpose, (struct test_recipe){ .permit_dns = "example.test" }, "www.other.test");
}

static void permitted_by_letters_only(struct tls_wish *w, const char *purpose)
{
	constrained(w, purpose, (struct test_recipe){ .permit_dns = "example.test" },
		"notexample.test");
}

static void excluded(struct tls_wish *w, const char *purpose)
{
	constrained(w, purpose,
		(struct test_recipe){ .exclude_dns = "example.test", .constraints_critical = true },
		"www.example.test");
}

static void excluded_not_critical(struct tls_wish *w, const char *purpose)
{
	constrained(w, purpose, (struct test_recipe){ .exclude_dns = "example.test" },
		"www.example.test");
}

static void not_excluded(struct tls_wish *w, const char *purpose)
{
	constrained(w, purpose, (struct test_recipe){ .exclude_dns = "example.test" },
		"www.other.test");
}

static void addressed(
	struct tls_wish *w, const char *purpose, const unsigned char *net, bool critical)
{
	const struct test_cert *chain[3] = { NULL };

	chain[1] = test_mint(&(struct test_recipe){ .subject = "CN=Weft constrained",
		.ca = true,
		.permit_ip = net,
		.constraints_critical = critical });
	chain[0] = test_mint(
		&(struct test_recipe){ .named = true, .purpose = purpose, .issuer = chain[1] });
	w->shown = test_mint_chain(chain);
}

static void other_net_not_critical(struct tls_wish *w, const char *purpose)
{
	addressed(w, purpose, other_net, false);
	w->ip = (struct weft_span){ v4, 4 };
}

static void other_net_critical(struct tls_wish *w, const char *purpose)
{
	addressed(w, purpose, other_net, true);
}

/* An upper CA's constraint holds below a lower one's, which has none. */
static void two_levels_up(struct tls_wish *w, const char *purpose)
{
	static const char *const dns[] = { "www.other.test", NULL };
	const struct test_cert *chain[4] = { NULL };

	chain[2] = test_mint(&(struct test_recipe){
		.subject = "CN=Weft constrained", .ca = true, .permit_dns = "example.test" });
	chain[1] = test_mint(&(struct test_recipe){
		.subject = "CN=Weft lower", .ca = true, .issuer = chain[2] });
	chain[0] = test_mint(
		&(struct test_recipe){ .dns = dns, .purpose = purpose, .issuer = chain[1] });
	w->shown = test_mint_chain(chain);
	w->host = dns[0];
}

static void of_the_root(struct tls_wish *w, const char *purpose)
{
	static const char *const dns[] = { "www.other.test", NULL };

	w->trust = test_mint(&(struct test_recipe){ .subject = "CN=Weft constrained root",
		.ca = true,
		.self_signed = true,
		.permit_dns = "example.test" });
	w->shown = test_mint(
		&(struct test_recipe){ .dns = dns, .purpose = purpose, .issuer = w->trust });
	w->host = dns[0];
}

const struct tls_verdict tls_constraint_verdicts[] = {
	{ .name = "permitted_name_is_accepted",
		.prepare = permitted,
		.caps = WEFT_TLS_CAN_NAME_CONSTRAINTS },
	{ .name = "permitted_name_is_accepted_uncritical", .prepare = permitted_not_critical },
	{ .name = "name_not_permitted_is_refused",
		.prepare = not_permitted,
		.faults = WEFT_TLS_UNKNOWN_CA,
		.caps = WEFT_TLS_CAN_NAME_CONSTRAINTS },
	{ .name = "name_not_permitted_is_refused_uncritical",
		.prepare = not_permitted_not_critical,
		.faults = WEFT_TLS_UNKNOWN_CA,
		.caps = WEFT_TLS_CAN_NAME_CONSTRAINTS },
	{ .name = "name_permitted_by_letters_only_is_refused",
		.prepare = permitted_by_letters_only,
		.faults = WEFT_TLS_UNKNOWN_CA,
		.caps = WEFT_TLS_CAN_NAME_CONSTRAINTS },
	{ .name = "excluded_name_is_refused",
		.prepare = excluded,
		.faults = WEFT_TLS_UNKNOWN_CA,
		.caps = WEFT_TLS_CAN_NAME_CONSTRAINTS },
	{ .name = "excluded_name_is_refused_uncritical",
		.prepare = excluded_not_critical,
		.faults = WEFT_TLS_UNKNOWN_CA,
		.caps = WEFT_TLS_CAN_NAME_CONSTRAINTS },
	{ .name = "name_not_excluded_is_accepted", .prepare = not_excluded },
	{ .name = "address_not_permitted_is_refused",
		.prepare = other_net_critical,
		.faults = WEFT_TLS_UNKNOWN_CA,
		.caps = WEFT_TLS_CAN_NAME_CONSTRAINTS },
	{ .name = "address_not_permitted_is_refused_uncritical",
		.prepare = other_net_not_critical,
		.faults = WEFT_TLS_UNKNOWN_CA,
		.caps = WEFT_TLS_CAN_NAME_CONSTRAINTS },
	{ .name = "constraint_holds_two_levels_below",
		.prepare = two_levels_up,
		.faults = WEFT_TLS_UNKNOWN_CA,
		.caps = WEFT_TLS_CAN_NAME_CONSTRAINTS },
	{ .name = "constraint_of_a_root_holds",
		.prepare = of_the_root,
		.faults = WEFT_TLS_UNKNOWN_CA,
		.caps = WEFT_TLS_CAN_NAME_CONSTRAINTS },
};
const size_t tls_constraint_verdict_count =
	sizeof(tls_constraint_verdicts) / sizeof(*tls_constraint_verdicts);
