/* SPDX-License-Identifier: MIT */
/* In place of offer.c and tickets.c where a build is for clients only (WEFT_CLIENT_ONLY). */
#include "backend.h"

void mbedtls_adapter_offer_tickets(struct tls_ctx *c)
{
	(void)c;
}
