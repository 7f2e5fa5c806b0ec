/* SPDX-License-Identifier: MIT */
/*
 * nameConstraints, which mbed TLS 2.28 does not look at: RFC 5280 section 4.2.1.10. DNS names and addresses
 * are compared, subjects where permitted; of other kinds none is allowed where a CA says anything on it.
 */
#include <string.h>
#include <strings.h>

#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>

#include "backend.h"

enum { NAME_MAIL = 1, NAME_DNS = 2, NAME_DIRECTORY = 4, NAME_IP = 7, PERMITTED = 0, EXCLUDED = 1 };

struct name {
	int kind;
	const unsigned char *p;
	size_t len;
};

bool mbedtls_adapter_is_constraint(const mbedtls_x509_buf *oid)
{
	return !MBEDTLS_OID_CMP(MBEDTLS_OID_NAME_CONSTRAINTS, oid);
}

/* ---- one name and one subtree ---- */

static bool ends_with(const struct name *name, const unsigned char *end, size_t len)
{
	return name->len >= len &&
	       !strncasecmp((const char *)name->p + name->len - len, (const char *)end, len);
}

/* The name itself, and all that has labels in front of it. */
static bool dns_is_below(const struct name *name, const struct name *base)
{
	if (!base->len)
		return true;
	if (!ends_with(name, base->p, base->len))
		return false;
	return name->len == base->len || base->p[0] == '.' ||
	       name->p[name->len - base->len - 1] == '.';
}

/* A wildcard stands for an excluded name as well. */
static bool dns_may_be_below(const struct name *name, const struct name *base)
{
	return dns_is_below(name, base) ||
	       (name->len > 1 && name->p[0] == '*' && ends_with(base, name->p + 1, name->len - 1));
}

/* Address and mask. */
static bool ip_is_below(const struct name *name, const struct name *base)
{
	if (base->len != 2 * name->len)
		return false;
	for (size_t i = 0; i < name->len; i++) {
		if ((name->p[i] ^ base->p[i]) & base->p[name->len + i])
			return false;
	}
	return true;
}

/* As written: the base's parts are the first ones of the name. Both have their SEQUENCE in front. */
static bool directory_is_below(const struct name *name, const struct name *base)
{
	unsigned char *n = (unsigned char *)(uintptr_t)name->p;
	unsigned char *b = (unsigned char *)(uintptr_t)base->p;
	const int tag = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE;
	size_t n_len, b_len;

	return !mbedtls_asn1_get_tag(&n, name->p + name->len, &n_len, tag) &&
	       !mbedtls_asn1_get_tag(&b, base->p + base->len, &b_len, tag) && b_len <= n_len &&
	       !memcmp(n, b, b_len);
}

static bool is_below(const struct name *name, const struct name *base, int which)
{
	switch (name->kind) {
	case NAME_DNS:
		return which == PERMITTED ? dns_is_below(name, base) : dns_may_be_below(name, base);
	case NAME_IP:
		return ip_is_below(name, base);
	case NAME_DIRECTORY:
		/* "as written" is too narrow for what must not be */
		return which == EXCLUDED || directory_is_below(name, base);
	default:
		return which == EXCLUDED;
	}
}

/* ---- one name and all of a CA's subtrees ---- */

/* Moves p behind a GeneralSubtree: its base, and nothing else in what RFC 5280 allows. */
static bool next_subtree(unsigned char **p, const unsigned char *end, struct name *base)
{
	size_t len;

	if (mbedtls_asn1_get_tag(p, end, &len, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE))
		return false;
	end = *p + len;
	if (len < 2 || (**p & MBEDTLS_ASN1_TAG_CLASS_MASK) != MBEDTLS_ASN1_CONTEXT_SPECIFIC)
		return false;
	base->kind = **p & MBEDTLS_ASN1_TAG_VALUE_MASK;
	++*p;
	if (mbedtls_asn1_get_len(p, end, &base->len) || *p + base->len != end)
		return false;
	base->p = *p;
	*p += base->len;
	return true;
}

/* Of the name's kind: are there any, does one have it? False: not to be understood. */
static bool ask(unsigned char *p, const unsigned char *end, const struct name *name, int which,
	bool *any, bool *within)
{
	struct name base;

	*any = *within = false;
	while (p < end) {
		if (!next_subtree(&p, end, &base))
			return false;
		if (base.kind != name->kind)
			continue;
		*any = true;
		*within |= is_below(name, &base, which);
	}
	return true;
}

static bool name_fits(const mbedtls_x509_buf *constraints, const struct name *name)
{
	unsigned char *p = constraints->p;
	const unsigned char *end = p + constraints->len;
	const int tag = MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED;
	bool any, within;
	size_t len;

	for (int which = PERMITTED; which <= EXCLUDED && p < end; which++) {
		int ret = mbedtls_asn1_get_tag(&p, end, &len, tag | which);

		if (ret == MBEDTLS_ERR_ASN1_UNEXPECTED_TAG)
			continue;
		if (ret || !ask(p, p + len, name, which, &any, &within))
			return false;
		if (which == PERMITTED ? any && !within : within)
			return false;
		p += len;
	}
	return p == end;
}

/* ---- a CA and a certificate ---- */

/* The value of the extension, its SEQUENCE opened. False: there is none. Malformed: empty and true. */
static bool find_constraints(const mbedtls_x509_crt *ca, mbedtls_x509_buf *found)
{
	unsigned char *p = ca->v3_ext.p;
	const unsigned char *end = p ? p + ca->v3_ext.len : NULL;
	const int sequence = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE;
	mbedtls_x509_buf oid;
	int critical;
	size_t len;

	if (!p || mbedtls_asn1_get_tag(&p, end, &len, sequence))
		return false;
	while (p < end && !mbedtls_asn1_get_tag(&p, end, &len, sequence)) {
		const unsigned char *next = p + len;

		if (mbedtls_asn1_get_tag(&p, next, &oid.len, MBEDTLS_ASN1_OID))
			return false;
		oid.p = p;
		p += oid.len;
		if (mbedtls_adapter_is_constraint(&oid)) {
			(void)mbedtls_asn1_get_bool(&p, next, &critical);
			*found = (mbedtls_x509_buf){ .p = NULL };
			if (!mbedtls_asn1_get_tag(&p, next, &len, MBEDTLS_ASN1_OCTET_STRING) &&
				!mbedtls_asn1_get_tag(&p, next, &found->len, sequence))
				found->p = p;
			return true;
		}
		p += next - p;
	}
	return false;
}

static bool subject_fits(const mbedtls_x509_buf *constraints, const mbedtls_x509_crt *crt)
{
	struct name subject = { NAME_DIRECTORY, crt->subject_raw.p, crt->subject_raw.len };

	/* an empty one is no name */
	if (crt->subject.oid.p && !name_fits(constraints, &subject))
		return false;
	for (const mbedtls_x509_name *part = &crt->subject; part; part = part->next) {
		struct name mail = { NAME_MAIL, part->val.p, part->val.len };

		if (part->oid.p && !MBEDTLS_OID_CMP(MBEDTLS_OID_PKCS9_EMAIL, &part->oid) &&
			!name_fits(constraints, &mail))
			return false;
	}
	return true;
}

bool mbedtls_adapter_constraint_fits(const mbedtls_x509_crt *ca, const mbedtls_x509_crt *crt)
{
	mbedtls_x509_buf constraints;

	if (!find_constraints(ca, &constraints))
		return true;
	if (!constraints.p || !subject_fits(&constraints, crt))
		return false;
	for (const mbedtls_x509_sequence *san = &crt->subject_alt_names; san && san->buf.p;
		san = san->next) {
		struct name name = { san->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK, san->buf.p,
			san->buf.len };

		if (!name_fits(&constraints, &name))
			return false;
	}
	return true;
}
