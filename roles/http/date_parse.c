/* SPDX-License-Identifier: MIT */
/* Dates as HTTP reads them: the form that is sent, and the two that were. RFC 9110 section 5.6.7. */
#include <string.h>

#include "roles/http/calendar.h"
#include "weft/http.h"

struct reader {
	const char *p, *end;
	bool bad;
};

struct moment {
	struct weft_http_day day;
	unsigned second; /* of the day */
};

static void literal(struct reader *r, const char *text)
{
	size_t len = strlen(text);

	if (r->bad || (size_t)(r->end - r->p) < len || memcmp(r->p, text, len))
		r->bad = true;
	else
		r->p += len;
}

static unsigned digits(struct reader *r, unsigned count)
{
	unsigned n = 0;

	if (r->bad || (size_t)(r->end - r->p) < count) {
		r->bad = true;
		return 0;
	}
	while (count--) {
		unsigned digit = (unsigned)(unsigned char)*r->p++ - '0';

		if (digit > 9)
			r->bad = true;
		n = n * 10 + digit;
	}
	return r->bad ? 0 : n;
}

static unsigned month_name(struct reader *r)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (unsigned i = 0; !r->bad && r->end - r->p >= 3 && i < 12; i++) {
		if (!memcmp(r->p, names + i * 3, 3)) {
			r->p += 3;
			return i + 1;
		}
	}
	r->bad = true;
	return 1;
}

/* hour ":" minute ":" second; the second 60 is a leap second, which the next one stands for. */
static unsigned time_of_day(struct reader *r)
{
	unsigned hour, minute, second;

	hour = digits(r, 2);
	literal(r, ":");
	minute = digits(r, 2);
	literal(r, ":");
	second = digits(r, 2);
	if (hour > 23 || minute > 59 || second > 60)
		r->bad = true;
	return hour * 3600 + minute * 60 + second;
}

static int64_t seconds_of(const struct moment *m)
{
	return weft_http_days(m->day) * 86400 + m->second;
}

/* "06 Nov 1994 08:49:37 GMT" */
static void fixdate(struct reader *r, struct moment *m)
{
	m->day.day = digits(r, 2);
	literal(r, " ");
	m->day.month = month_name(r);
	literal(r, " ");
	m->day.year = digits(r, 4);
	literal(r, " ");
	m->second = time_of_day(r);
	literal(r, " GMT");
}

/* "Nov  6 08:49:37 1994" */
static void asctime_date(struct reader *r, struct moment *m)
{
	m->day.month = month_name(r);
	literal(r, " ");
	if (r->p < r->end && *r->p == ' ') {
		literal(r, " ");
		m->day.day = digits(r, 1);
	} else {
		m->day.day = digits(r, 2);
	}
	literal(r, " ");
	m->second = time_of_day(r);
	literal(r, " ");
	m->day.year = digits(r, 4);
}

/* The latest year with these two digits that is not more than 50 years ahead of now. */
static void choose_century(struct moment *m, int64_t now)
{
	const int64_t last = 251824463999; /* of year 9949 */
	struct moment limit;
	unsigned two_digits = m->day.year;

	now = now < 0 ? 0 : now > last ? last : now;
	limit.day = weft_http_day_of(now / 86400);
	limit.day.year += 50;
	limit.second = (unsigned)(now % 86400);
	m->day.year = limit.day.year / 100 * 100 + two_digits;
	if (seconds_of(m) > seconds_of(&limit))
		m->day.year -= 100;
}

/* "06-Nov-94 08:49:37 GMT" */
static void rfc850_date(struct reader *r, struct moment *m, int64_t now)
{
	m->day.day = digits(r, 2);
	literal(r, "-");
	m->day.month = month_name(r);
	literal(r, "-");
	m->day.year = digits(r, 2);
	literal(r, " ");
	m->second = time_of_day(r);
	literal(r, " GMT");
	if (!r->bad)
		choose_century(m, now);
}

static bool on_calendar(const struct weft_http_day *d)
{
	static const unsigned char month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	bool leap = d->year % 4 == 0 && (d->year % 100 != 0 || d->year % 400 == 0);

	return d->year >= 1 && d->day >= 1 &&
	       d->day <= month_days[d->month - 1] + (unsigned)(leap && d->month == 2);
}

/* Which weekday it was follows from the rest: a wrong one is no reason to refuse, another word is. */
static void moment(struct reader *r, struct moment *m, int64_t now)
{
	static const char *const names[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday",
		"Friday", "Saturday" };
	size_t i = 0, rest;

	while (i < 7 && (r->end - r->p < 3 || memcmp(r->p, names[i], 3)))
		i++;
	if (i == 7) {
		r->bad = true;
		return;
	}
	r->p += 3;
	rest = strlen(names[i] + 3);
	if (r->p < r->end && *r->p == ' ') {
		literal(r, " ");
		asctime_date(r, m);
	} else if (r->p < r->end && *r->p == ',') {
		literal(r, ", ");
		fixdate(r, m);
	} else if ((size_t)(r->end - r->p) > rest) {
		literal(r, names[i] + 3);
		literal(r, ", ");
		rfc850_date(r, m, now);
	} else {
		r->bad = true;
	}
}

bool weft_http_date_parse(const char *text, size_t len, int64_t now, int64_t *seconds)
{
	struct reader r = { text, text + len, len == 0 };
	struct moment m = { { 1, 1, 1 }, 0 };

	if (!r.bad)
		moment(&r, &m, now);
	if (r.bad || r.p != r.end || !on_calendar(&m.day))
		return false;
	*seconds = seconds_of(&m);
	return true;
}
