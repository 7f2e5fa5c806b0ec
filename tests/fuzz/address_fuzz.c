/* SPDX-License-Identifier: MIT */
/* Addresses: what is accepted survives being formatted, and the way through the system's form. */
#include "core/net/sockaddr.h"
#include "core/net/url.h"
#include "tests/fuzz/fuzz.h"

static void check(const char *text, uint16_t port)
{
	char formatted[WEFT_ADDRESS_TEXT_MAX], cut[8];
	struct weft_address a, again, system;
	struct weft_error err;
	union weft_sockaddr sa;

	if (weft_address_parse(text, port, &a, &err)) {
		must(err.status == WEFT_ERR_ARGUMENT && *err.text);
		return;
	}
	must(a.family == WEFT_FAMILY_IPV4 || a.family == WEFT_FAMILY_IPV6);
	must(a.port == port && !*a.path);
	weft_address_format(&a, formatted, sizeof(formatted));
	must(strlen(formatted) < sizeof(formatted) - 1);
	must(weft_endpoint_parse(formatted, &again, NULL) == WEFT_OK);
	must(weft_address_equal(&a, &again) && weft_address_equal(&again, &a));
	weft_sockaddr_to(&sa, weft_sockaddr_from(&a, &sa), &system);
	must(weft_address_equal(&a, &system));
	weft_address_format(&a, cut, sizeof(cut));
	must(!strncmp(cut, formatted, sizeof(cut) - 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text;

	if (len < 2)
		return 0;
	text = fuzz_string(data + 2, len - 2);
	check(text, (uint16_t)(data[0] << 8 | data[1]));
	free(text);
	return 0;
}
