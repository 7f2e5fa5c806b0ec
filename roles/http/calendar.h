/* SPDX-License-Identifier: MIT */
/* Days and dates, without the C library's calendar, which asks for locale and time zone. */
#ifndef WEFT_ROLES_HTTP_CALENDAR_H
#define WEFT_ROLES_HTTP_CALENDAR_H

#include <stdint.h>

struct weft_http_day {
	unsigned year, month, day; /* month and day count from 1 */
};

/* Of a day since 1970-01-01, by eras of 400 years that begin in March: from year 0 on. */
static inline struct weft_http_day weft_http_day_of(int64_t days)
{
	int64_t z = days + 719468; /* since 0000-03-01 */
	int64_t era = z / 146097;
	unsigned doe = (unsigned)(z - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;
	struct weft_http_day d;

	d.day = doy - (153 * mp + 2) / 5 + 1;
	d.month = mp < 10 ? mp + 3 : mp - 9;
	d.year = yoe + (unsigned)era * 400 + (d.month <= 2);
	return d;
}

/* The way back, for years from 1 on; a day beyond its month's end counts into the next. */
static inline int64_t weft_http_days(struct weft_http_day d)
{
	unsigned y = d.year - (d.month <= 2);
	unsigned mp = d.month > 2 ? d.month - 3 : d.month + 9;
	unsigned doy = (153 * mp + 2) / 5 + d.day - 1;

	return (int64_t)365 * y + y / 4 - y / 100 + y / 400 + doy - 719468;
}

#endif
