/* SPDX-License-Identifier: MIT */
/* Dates as HTTP writes them. Without the C library's calendar, which asks for locale and time zone. */
#include <string.h>

#include "roles/http/date.h"
#include "weft/http.h"

static void two(char *out, unsigned n)
{
	out[0] = (char)('0' + n / 10);
	out[1] = (char)('0' + n % 10);
}

/* Day, month and year of a day since 1970-01-01, by eras of 400 years that begin in March. */
static void civil(int64_t days, unsigned *day, unsigned *month, unsigned *year)
{
	int64_t z = days + 719468; /* since 0000-03-01 */
	int64_t era = z / 146097;
	unsigned doe = (unsigned)(z - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;

	*day = doy - (153 * mp + 2) / 5 + 1;
	*month = mp < 10 ? mp + 3 : mp - 9;
	*year = yoe + (unsigned)era * 400 + (*month <= 2);
}

void weft_http_date(int64_t seconds, char out[30])
{
	static const char week[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	/* four digits of a year end here; before 1970 no message was sent */
	const int64_t last = 253402300799;
	unsigned day, month, year, rest;
	int64_t days;

	if (seconds < 0)
		seconds = 0;
	if (seconds > last)
		seconds = last;
	days = seconds / 86400;
	rest = (unsigned)(seconds % 86400);
	civil(days, &day, &month, &year);
	memcpy(out, "Xxx, 00 Xxx 0000 00:00:00 GMT", 30);
	memcpy(out, week + (days + 4) % 7 * 3, 3);
	two(out + 5, day);
	memcpy(out + 8, months + (month - 1) * 3, 3);
	two(out + 12, year / 100);
	two(out + 14, year % 100);
	two(out + 17, rest / 3600);
	two(out + 20, rest / 60 % 60);
	two(out + 23, rest % 60);
}

const char *weft_http_date_line(int64_t seconds)
{
	static const char name[] = "date: ";
	static _Thread_local struct {
		int64_t second;
		char text[WEFT_HTTP_DATE_LINE + 1];
	} made;
	const size_t at = sizeof(name) - 1;

	if (made.second != seconds || !made.text[0]) {
		memcpy(made.text, name, at);
		weft_http_date(seconds, made.text + at);
		memcpy(made.text + at + 29, "\r\n", 3);
		made.second = seconds;
	}
	return made.text;
}
