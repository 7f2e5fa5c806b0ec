/* SPDX-License-Identifier: MIT */
/* Whole heads that an application wants to send: what HTTP allows, whichever version carries them. */
#include <string.h>

#include "roles/http/chars.h"
#include "roles/http/framing.h"
#include "roles/http/outgoing.h"
#include "roles/http/target.h"

bool weft_http_expects_continue(const struct weft_head *head)
{
	const struct weft_field *f = weft_head_find(head, "expect");

	return f && weft_http_same(f->value, f->value_len, "100-continue");
}

/* What RFC 9110 sections 9.3.7, 9.3.8 and 10.1.1 forbid. */
static enum weft_status check_content(
	const char *method, const struct weft_head *r, struct weft_error *err)
{
	if (!r->body_len && weft_http_expects_continue(r))
		return weft_error_set(
			err, WEFT_ERR_ARGUMENT, 0, "expect: 100-continue without a body");
	if (r->body_len && !strcmp(method, "TRACE"))
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0, "TRACE with a body");
	if (r->body_len && !strcmp(method, "OPTIONS") && !weft_head_find(r, "content-type"))
		return weft_error_set(
			err, WEFT_ERR_ARGUMENT, 0, "OPTIONS with a body needs a content-type");
	return WEFT_OK;
}

enum weft_status weft_http_check_request_head(const struct weft_head *r, struct weft_error *err)
{
	const char *method = r->method ? r->method : "GET";
	const char *target = r->target && *r->target ? r->target : "/";
	enum weft_status st;

	if (!r->authority || !*r->authority)
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0, "a request without a host");
	if (!strcmp(method, "CONNECT") &&
		!weft_http_authority(r->authority, strlen(r->authority), true))
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"CONNECT to \"%.100s\": expected host:port", r->authority);
	st = weft_http_check_request(method, target, strlen(target), err);
	if (st == WEFT_OK)
		st = check_content(method, r, err);
	if (st)
		return st;
	return weft_http_check_fields(WEFT_HTTP_OUT_REQUEST, r->fields, r->field_count, err);
}

enum weft_status weft_http_check_response(const char *method, const struct weft_head *head,
	enum weft_head_kind kind, bool fin, struct weft_error *err)
{
	if (kind == WEFT_HEAD_INFORMATIONAL && (head->status / 100 != 1 || head->status == 101))
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"status %u in an informational head: expected 1xx but 101", head->status);
	if (kind == WEFT_HEAD_FINAL && head->status != 101 &&
		(head->status < 200 || head->status > 999))
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"status %u in a final head: expected 101 or 200 to 999", head->status);
	if (kind == WEFT_HEAD_FINAL && fin && head->body_len > 0 &&
		!weft_http_bodyless(method, head->status))
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"a head that ends the response announces %lld bytes of body",
			(long long)head->body_len);
	if ((head->status == 101 || head->status == 426) && !weft_head_find(head, "upgrade"))
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"status %u without an upgrade field: RFC 9110 sections 15.2.2 and 15.5.22",
			head->status);
	return weft_http_check_fields(WEFT_HTTP_OUT_RESPONSE, head->fields, head->field_count, err);
}
