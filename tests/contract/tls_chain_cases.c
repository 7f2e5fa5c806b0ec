/* SPDX-License-Identifier: MIT */
/* What a chain, its certificates and its revocation lists may be like: RFC 5280 section 6. */
#include <gnutls/x509.h>
#include <string.h>

#include "tests/contract/tls_verdict.h"

static const char intermediate[] = "CN=Weft intermediate";

static const struct test_cert *leaf(const char *purpose, const struct test_cert *issuer)
{
	const struct test_recipe r = { .named = true, .purpose = purpose, .issuer = issuer };

	return test_mint(&r);
}

/* Shows a leaf below an intermediate made to the recipe. */
static void below(struct tls_wish *w, const char *purpose, struct test_recipe r)
{
	const struct test_cert *chain[3] = { NULL };

	r.subject = r.subject ? r.subject : intermediate;
	chain[1] = test_mint(&r);
	chain[0] = leaf(purpose, chain[1]);
	w->shown = test_mint_chain(chain);
}

static void show(struct tls_wish *w, const char *purpose, struct test_recipe r)
{
	r.named = true;
	r.purpose = r.purpose ? r.purpose : purpose;
	w->shown = test_mint(&r);
}

/* Trusts a root made to the recipe alone, and shows a leaf of it. */
static void rooted(struct tls_wish *w, const char *purpose, struct test_recipe r)
{
	r.subject = "CN=Weft special root";
	r.self_signed = true;
	w->trust = test_mint(&r);
	w->shown = leaf(purpose, w->trust);
}

/* ---- good ones ---- */

static void good(struct tls_wish *w, const char *purpose)
{
	show(w, purpose, (struct test_recipe){ .ca = false });
}

static void any_purpose(struct tls_wish *w, const char *purpose)
{
	(void)purpose;
	show(w, "", (struct test_recipe){ .ca = false });
}

static void every_purpose(struct tls_wish *w, const char *purpose)
{
	show(w, purpose, (struct test_recipe){ .purpose = GNUTLS_KP_ANY });
}

static void p384(struct tls_wish *w, const char *purpose)
{
	show(w, purpose, (struct test_recipe){ .curve = GNUTLS_ECC_CURVE_SECP384R1 });
}

static void with_intermediate(struct tls_wish *w, const char *purpose)
{
	below(w, purpose, (struct test_recipe){ .ca = true });
}

static void path_just_long_enough(struct tls_wish *w, const char *purpose)
{
	below(w, purpose, (struct test_recipe){ .ca = true, .path_limit = 1 });
}

static void with_root(struct tls_wish *w, const char *purpose)
{
	const struct test_cert *chain[] = { leaf(purpose, NULL), test_certs_ca(), NULL };

	w->shown = test_mint_chain(chain);
}

static void unsorted(struct tls_wish *w, const char *purpose)
{
	const struct test_cert *chain[5] = { NULL };

	chain[1] = test_mint(&(struct test_recipe){ .subject = "CN=Weft upper", .ca = true });
	chain[3] = test_mint(&(struct test_recipe){
		.subject = "CN=Weft lower", .ca = true, .issuer = chain[1] });
	chain[2] = test_certs_other_ca(); /* of no use */
	chain[0] = leaf(purpose, chain[3]);
	w->shown = test_mint_chain(chain);
}

static void trusted_intermediate(struct tls_wish *w, const char *purpose)
{
	below(w, purpose, (struct test_recipe){ .ca = true, .issuer = test_certs_other_ca() });
	w->trust = test_mint(&(struct test_recipe){
		.subject = "CN=Weft trusted below", .ca = true, .issuer = test_certs_other_ca() });
	w->shown = leaf(purpose, w->trust);
}

static void trusted_v1_root(struct tls_wish *w, const char *purpose)
{
	rooted(w, purpose, (struct test_recipe){ .v1 = true });
}

static void trusted_itself(struct tls_wish *w, const char *purpose)
{
	show(w, purpose, (struct test_recipe){ .self_signed = true });
	w->trust = w->shown;
}

static void trusted_leaf_of_a_stranger(struct tls_wish *w, const char *purpose)
{
	show(w, purpose, (struct test_recipe){ .issuer = test_certs_other_ca() });
	w->trust = w->shown;
}

static void root_hashed_weakly(struct tls_wish *w, const char *purpose)
{
	rooted(w, purpose, (struct test_recipe){ .ca = true, .sha1 = true });
}

/* ---- dates ---- */

static void expired(struct tls_wish *w, const char *purpose)
{
	show(w, purpose, (struct test_recipe){ .from = -9, .to = -2 });
}

static void not_yet_valid(struct tls_wish *w, const char *purpose)
{
	show(w, purpose, (struct test_recipe){ .from = 2, .to = 9 });
}

static void expired_intermediate(struct tls_wish *w, const char *purpose)
{
	below(w, purpose, (struct test_recipe){ .ca = true, .from = -9, .to = -2 });
}

static void future_intermediate(struct tls_wish *w, const char *purpose)
{
	below(w, purpose, (struct test_recipe){ .ca = true, .from = 2, .to = 9 });
}

static void expired_root(struct tls_wish *w, const char *purpose)
{
	rooted(w, purpose, (struct test_recipe){ .ca = true, .from = -9, .to = -2 });
}

/* ---- who signed ---- */

static void stranger(struct tls_wish *w, const char *purpose)
{
	show(w, purpose, (struct test_recipe){ .issuer = test_certs_other_ca() });
}

static void self_signed(struct tls_wish *w, const char *purpose)
{
	show(w, purpose, (struct test_recipe){ .self_signed = true });
}

static void missing_intermediate(struct tls_wish *w, const char *purpose)
{
	const struct test_recipe r = { .subject = intermediate, .ca = true };

	w->shown = leaf(purpose, test_mint(&r));
}

static void forged(struct tls_wish *w, const char *purpose)
{
	show(w, purpose, (struct test_recipe){ .forged = true });
}

static void forged_intermediate(struct tls_wish *w, const char *purpose)
{
	below(w, purpose, (struct test_recipe){ .ca = true, .forged = true });
}

/* Its root has the trusted one's name, and another key. */
static void impostor(struct tls_wish *w, const char *purpose)
{
	const struct test_recipe r = {
		.subject = "CN=Weft test CA", .ca = true, .self_signed = true
	};
	const struct test_cert *chain[3] = { NULL };

	chain[1] = test_mint(&r);
	chain[0] = leaf(purpose, chain[1]);
	w->shown = test_mint_chain(chain);
}

static void intermediate_no_ca(struct tls_wish *w, const char *purpose)
{
	below(w, purpose,
		(struct test_recipe){ .ca = false,
			.purpose = "",
			.usage = GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_CERT_SIGN });
}

static void intermediate_no_constraints(struct tls_wish *w, const char *purpose)
{
	below(w, purpose, (struct test_recipe){ .ca = true, .no_constraints = true });
}

static void intermediate_no_sign(struct tls_wish *w, const char *purpose)
{
	below(w, purpose, (struct test_recipe){ .ca = true, .usage = GNUTLS_KEY_CRL_SIGN });
}

static void intermediate_v1(struct tls_wish *w, const char *purpose)
{
	below(w, purpose, (struct test_recipe){ .v1 = true });
}

static void root_no_ca(struct tls_wish *w, const char *purpose)
{
	rooted(w, purpose,
		(struct test_recipe){ .ca = false,
			.purpose = "",
			.usage = GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_CERT_SIGN });
}

static void root_no_sign(struct tls_wish *w, const char *purpose)
{
	rooted(w, purpose, (struct test_recipe){ .ca = true, .usage = GNUTLS_KEY_CRL_SIGN });
}

static void path_too_long(struct tls_wish *w, const char *purpose)
{
	const struct test_cert *chain[4] = { NULL };

	chain[2] = test_mint(
		&(struct test_recipe){ .subject = "CN=Weft upper", .ca = true, .path_limit = 1 });
	chain[1] = test_mint(&(struct test_recipe){
		.subject = "CN=Weft lower", .ca = true, .issuer = chain[2] });
	chain[0] = leaf(purpose, chain[1]);
	w->shown = test_mint_chain(chain);
}

static void path_too_long_for_root(struct tls_wish *w, const char *purpose)
{
	const struct test_cert *chain[3] = { NULL };

	rooted(w, purpose, (struct test_recipe){ .ca = true, .path_limit = 1 });
	chain[1] = test_mint(
		&(struct test_recipe){ .subject = intermediate, .ca = true, .issuer = w->trust });
	chain[0] = leaf(purpose, chain[1]);
	w->shown = test_mint_chain(chain);
}

/* ---- strength ---- */

static void short_key(struct tls_wish *w, const char *purpose)
{
	show(w, purpose, (struct test_recipe){ .rsa_bits = 1024 });
}

static void short_key_of_intermediate(struct tls_wish *w, const char *purpose)
{
	below(w, purpose, (struct test_recipe){ .ca = true, .rsa_bits = 1024 });
}

static void short_key_of_root(struct tls_wish *w, const char *purpose)
{
	rooted(w, purpose, (struct test_recipe){ .ca = true, .rsa_bits = 1024 });
}

static void weak_hash(struct tls_wish *w, const char *purpose)
{
	show(w, purpose, (struct test_recipe){ .sha1 = true });
}

static void weak_hash_of_intermediate(struct tls_wish *w, const char *purpose)
{
	below(w, purpose, (struct test_recipe){ .ca = true, .sha1 = true });
}

/* ---- what for ---- */

static void other_purpose(struct tls_wish *w, const char *purpose)
{
	show(w,
		strcmp(purpose, GNUTLS_KP_TLS_WWW_CLIENT) ? GNUTLS_KP_TLS_WWW_CLIENT
							  : GNUTLS_KP_TLS_WWW_SERVER,
		(struct test_recipe){ .ca = false });
}

static void other_purpose_of_intermediate(struct tls_wish *w, const char *purpose)
{
	below(w, purpose, (struct test_recipe){ .ca = true, .purpose = GNUTLS_KP_CODE_SIGNING });
}

static void usage_without_signature(struct tls_wish *w, const char *purpose)
{
	show(w, purpose, (struct test_recipe){ .usage = GNUTLS_KEY_KEY_AGREEMENT });
}

static void strange(struct tls_wish *w, const char *purpose)
{
	show(w, purpose, (struct test_recipe){ .strange = true });
}

static void strange_intermediate(struct tls_wish *w, const char *purpose)
{
	below(w, purpose, (struct test_recipe){ .ca = true, .strange = true });
}

/* ---- revocation ---- */

static void listed(struct tls_wish *w, const char *purpose)
{
	w->shown = leaf(purpose, NULL);
	w->list = test_mint_crl(test_certs_ca(), w->shown, -1, 30, false);
}

static void not_listed(struct tls_wish *w, const char *purpose)
{
	w->shown = leaf(purpose, NULL);
	w->list = test_mint_crl(test_certs_ca(), test_cert(TEST_CERT_REVOKED), -1, 30, false);
}

static void listed_by_a_stranger(struct tls_wish *w, const char *purpose)
{
	w->shown = leaf(purpose, NULL);
	w->list = test_mint_crl(test_certs_other_ca(), w->shown, -1, 30, false);
}

static void list_too_old(struct tls_wish *w, const char *purpose)
{
	w->shown = leaf(purpose, NULL);
	w->list = test_mint_crl(test_certs_ca(), NULL, -9, -2, false);
}

static void list_of_the_future(struct tls_wish *w, const char *purpose)
{
	w->shown = leaf(purpose, NULL);
	w->list = test_mint_crl(test_certs_ca(), NULL, 2, 9, false);
}

static void list_forged(struct tls_wish *w, const char *purpose)
{
	w->shown = leaf(purpose, NULL);
	w->list = test_mint_crl(test_certs_ca(), NULL, -1, 30, true);
}

/* A list of the CA's, which has the intermediate in it. */
static void intermediate_listed(struct tls_wish *w, const char *purpose)
{
	const struct test_cert *chain[3] = { NULL };

	chain[1] = test_mint(&(struct test_recipe){ .subject = intermediate, .ca = true });
	chain[0] = leaf(purpose, chain[1]);
	w->shown = test_mint_chain(chain);
	w->list = test_mint_crl(test_certs_ca(), chain[1], -1, 30, false);
}

static void listed_by_intermediate(struct tls_wish *w, const char *purpose)
{
	const struct test_cert *chain[3] = { NULL };

	chain[1] = test_mint(&(struct test_recipe){ .subject = intermediate, .ca = true });
	chain[0] = leaf(purpose, chain[1]);
	w->shown = test_mint_chain(chain);
	w->list = test_mint_crl(chain[1], chain[0], -1, 30, false);
}

/* ---- several at once ---- */

static void expired_stranger(struct tls_wish *w, const char *purpose)
{
	show(w, purpose,
		(struct test_recipe){ .issuer = test_certs_other_ca(), .from = -9, .to = -2 });
}

static void expired_and_listed(struct tls_wish *w, const char *purpose)
{
	show(w, purpose, (struct test_recipe){ .from = -9, .to = -2 });
	w->list = test_mint_crl(test_certs_ca(), w->shown, -1, 30, false);
}

const struct tls_verdict tls_chain_verdicts[] = {
	{ .name = "good_certificate_is_accepted", .prepare = good },
	{ .name = "certificate_for_any_purpose_is_accepted", .prepare = any_purpose },
	{ .name = "certificate_for_every_purpose_is_accepted", .prepare = every_purpose },
	{ .name = "p384_certificate_is_accepted", .prepare = p384 },
	{ .name = "chain_with_an_intermediate_is_accepted", .prepare = with_intermediate },
	{ .name = "path_just_long_enough_is_accepted", .prepare = path_just_long_enough },
	{ .name = "chain_with_its_root_is_accepted", .prepare = with_root },
	{ .name = "chain_out_of_order_is_accepted", .prepare = unsorted },
	{ .name = "trusted_intermediate_is_an_anchor", .prepare = trusted_intermediate },
	{ .name = "trusted_v1_root_is_an_anchor", .prepare = trusted_v1_root },
	{ .name = "trusted_self_signed_leaf_is_accepted", .prepare = trusted_itself },
	{ .name = "trusted_leaf_of_a_stranger_is_accepted", .prepare = trusted_leaf_of_a_stranger },
	{ .name = "how_a_root_signed_itself_is_no_matter", .prepare = root_hashed_weakly },
	{ .name = "expired_certificate_is_refused",
		.prepare = expired,
		.faults = WEFT_TLS_EXPIRED },
	{ .name = "certificate_not_yet_valid_is_refused",
		.prepare = not_yet_valid,
		.faults = WEFT_TLS_NOT_YET_VALID },
	{ .name = "expired_intermediate_is_refused",
		.prepare = expired_intermediate,
		.faults = WEFT_TLS_EXPIRED },
	{ .name = "intermediate_not_yet_valid_is_refused",
		.prepare = future_intermediate,
		.faults = WEFT_TLS_NOT_YET_VALID },
	{ .name = "expired_root_is_refused", .prepare = expired_root, .faults = WEFT_TLS_EXPIRED },
	{ .name = "unknown_issuer_is_refused", .prepare = stranger, .faults = WEFT_TLS_UNKNOWN_CA },
	{ .name = "self_signed_certificate_is_refused",
		.prepare = self_signed,
		.faults = WEFT_TLS_SELF_SIGNED },
	{ .name = "missing_intermediate_is_refused",
		.prepare = missing_intermediate,
		.faults = WEFT_TLS_UNKNOWN_CA },
	{ .name = "forged_signature_is_refused", .prepare = forged, .faults = WEFT_TLS_UNKNOWN_CA },
	{ .name = "forged_signature_of_an_intermediate_is_refused",
		.prepare = forged_intermediate,
		.faults = WEFT_TLS_UNKNOWN_CA },
	{ .name = "root_of_the_right_name_and_another_key_is_refused",
		.prepare = impostor,
		.faults = WEFT_TLS_UNKNOWN_CA },
	{ .name = "intermediate_that_is_no_ca_is_refused",
		.prepare = intermediate_no_ca,
		.faults = WEFT_TLS_UNKNOWN_CA },
	{ .name = "intermediate_without_constraints_is_refused",
		.prepare = intermediate_no_constraints,
		.faults = WEFT_TLS_UNKNOWN_CA },
	{ .name = "intermediate_that_may_not_sign_is_refused",
		.prepare = intermediate_no_sign,
		.faults = WEFT_TLS_UNKNOWN_CA },
	{ .name = "v1_intermediate_is_refused",
		.prepare = intermediate_v1,
		.faults = WEFT_TLS_UNKNOWN_CA },
	{ .name = "root_that_is_no_ca_is_refused",
		.prepare = root_no_ca,
		.faults = WEFT_TLS_UNKNOWN_CA },
	{ .name = "root_that_may_not_sign_is_refused",
		.prepare = root_no_sign,
		.faults = WEFT_TLS_UNKNOWN_CA },
	{ .name = "path_too_long_is_refused",
		.prepare = path_too_long,
		.faults = WEFT_TLS_UNKNOWN_CA },
	{ .name = "path_too_long_for_its_root_is_refused",
		.prepare = path_too_long_for_root,
		.faults = WEFT_TLS_UNKNOWN_CA },
	{ .name = "short_rsa_key_is_refused", .prepare = short_key, .faults = WEFT_TLS_WEAK },
	{ .name = "short_rsa_key_of_an_intermediate_is_refused",
		.prepare = short_key_of_intermediate,
		.faults = WEFT_TLS_WEAK },
	{ .name = "short_rsa_key_of_a_root_is_refused",
		.prepare = short_key_of_root,
		.faults = WEFT_TLS_WEAK },
	{ .name = "sha1_signature_is_refused", .prepare = weak_hash, .faults = WEFT_TLS_WEAK },
	{ .name = "sha1_signature_of_an_intermediate_is_refused",
		.prepare = weak_hash_of_intermediate,
		.faults = WEFT_TLS_WEAK },
	{ .name = "other_purpose_is_refused",
		.prepare = other_purpose,
		.faults = WEFT_TLS_MALFORMED },
	{ .name = "other_purpose_of_an_intermediate_is_refused",
		.prepare = other_purpose_of_intermediate,
		.faults = WEFT_TLS_MALFORMED },
	{ .name = "key_usage_without_signature_is_refused",
		.prepare = usage_without_signature,
		.faults = WEFT_TLS_MALFORMED,
		.strict_only = true },
	{ .name = "unknown_critical_extension_is_refused",
		.prepare = strange,
		.faults = WEFT_TLS_MALFORMED,
		.strict_only = true },
	{ .name = "unknown_critical_extension_of_an_intermediate_is_refused",
		.prepare = strange_intermediate,
		.faults = WEFT_TLS_MALFORMED,
		.strict_only = true },
	{ .name = "revoked_certificate_is_refused",
		.prepare = listed,
		.faults = WEFT_TLS_REVOKED,
		.caps = WEFT_TLS_CAN_CRL },
	{ .name = "certificate_in_no_list_is_accepted",
		.prepare = not_listed,
		.caps = WEFT_TLS_CAN_CRL },
	{ .name = "list_of_another_ca_is_no_matter",
		.prepare = listed_by_a_stranger,
		.caps = WEFT_TLS_CAN_CRL },
	{ .name = "list_too_old_to_tell_counts_as_revoked",
		.prepare = list_too_old,
		.faults = WEFT_TLS_REVOKED,
		.caps = WEFT_TLS_CAN_CRL },
	{ .name = "list_of_the_future_counts_as_revoked",
		.prepare = list_of_the_future,
		.faults = WEFT_TLS_REVOKED,
		.caps = WEFT_TLS_CAN_CRL },
	{ .name = "forged_list_counts_as_revoked",
		.prepare = list_forged,
		.faults = WEFT_TLS_REVOKED,
		.caps = WEFT_TLS_CAN_CRL },
	{ .name = "revoked_intermediate_is_refused",
		.prepare = intermediate_listed,
		.faults = WEFT_TLS_REVOKED,
		.caps = WEFT_TLS_CAN_CRL },
	{ .name = "certificate_revoked_by_an_intermediate_is_refused",
		.prepare = listed_by_intermediate,
		.faults = WEFT_TLS_REVOKED,
		.caps = WEFT_TLS_CAN_CRL },
	{ .name = "expired_and_of_unknown_issuer_are_both_named",
		.prepare = expired_stranger,
		.faults = WEFT_TLS_EXPIRED | WEFT_TLS_UNKNOWN_CA },
	{ .name = "expired_and_revoked_are_both_named",
		.prepare = expired_and_listed,
		.faults = WEFT_TLS_EXPIRED | WEFT_TLS_REVOKED,
		.caps = WEFT_TLS_CAN_CRL },
};
const size_t tls_chain_verdict_count = sizeof(tls_chain_verdicts) / sizeof(*tls_chain_verdicts);
