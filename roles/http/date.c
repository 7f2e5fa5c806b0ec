/* SPDX-License-Identifier: MIT */
/* Dates as HTTP writes them. */
#include <string.h>

#include "roles/http/calendar.h"
#include "weft/http.h"

static void two(char *out, unsigned n)
{
	out[0] = (char)('0' + n / 10);
	out[1] = (char)('0' + n % 10);
}

void weft_http_date(int64_t seconds, char out[30])
{
	static const char week[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	/* four digits of a year end here; before 1970 no message was sent */
	const int64_t last = 253402300799;
	struct weft_http_day d;
	unsigned rest;
	int64_t days;

	if (seconds < 0)
		seconds = 0;
	if (seconds > last)
		seconds = last;
	days = seconds / 86400;
	rest = (unsigned)(seconds % 86400);
	d = weft_http_day_of(days);
	memcpy(out, "Xxx, 00 Xxx 0000 00:00:00 GMT", 30);
	memcpy(out, week + (days + 4) % 7 * 3, 3);
	two(out + 5, d.day);
	memcpy(out + 8, months + (d.month - 1) * 3, 3);
	two(out + 12, d.year / 100);
	two(out + 14, d.year % 100);
	two(out + 17, rest / 3600);
	two(out + 20, rest / 60 % 60);
	two(out + 23, rest % 60);
}
