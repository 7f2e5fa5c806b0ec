/* SPDX-License-Identifier: MIT */
/* In place of coalescing where a build does without (WEFT_NO_COALESCE): every host has connections of its own. */
#include "core/client/entry.h"

bool weft_pool_names_itself(const struct weft_pool_key *key)
{
	(void)key;
	return false;
}

uint64_t weft_pool_borrow(
	struct weft_pool_entry *e, const struct weft_address *addresses, size_t count)
{
	(void)e;
	(void)addresses;
	(void)count;
	return 0;
}

void weft_pool_forget_addresses(struct weft_pool_entry *e)
{
	(void)e;
}

bool weft_pool_hopes(const struct weft_pool_entry *e)
{
	(void)e;
	return false;
}

bool weft_pool_is_wanted(const struct weft_client_conn *c)
{
	(void)c;
	return false;
}

bool weft_pool_is_given_away(const struct weft_client_conn *c)
{
	(void)c;
	return false;
}

void weft_pool_lend(struct weft_client_conn *c)
{
	(void)c;
}

struct weft_conn *weft_pool_borrowed(const struct weft_pool_entry *e)
{
	(void)e;
	return NULL;
}

void weft_pool_wake_borrowers(struct weft_client_conn *c)
{
	(void)c;
}

void weft_pool_lose_patience(struct weft_pool_entry *e)
{
	(void)e;
}

void weft_pool_return_loan(struct weft_pool_entry *e)
{
	(void)e;
}

void weft_pool_end_loans(struct weft_client_conn *c)
{
	(void)c;
}

bool weft_pool_misdirected(struct weft_stream *s)
{
	(void)s;
	return false;
}
