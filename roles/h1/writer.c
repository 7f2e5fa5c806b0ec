/* SPDX-License-Identifier: MIT */
/* Writing heads. */
#include "roles/h1/writer.h"

#include "roles/http/chars.h"

static void flush(struct weft_h1_writer *w, const char *text, size_t len)
{
	struct weft_segment seg = weft_segment_borrowed(text, len);

	if (len && w->status == WEFT_OK)
		w->status = weft_pipe_send(w->pipe, 0, &seg, 1, false);
}

void weft_h1_write_over(struct weft_h1_writer *w, const char *text, size_t len)
{
	flush(w, w->bytes, w->len);
	w->len = 0;
	if (len > sizeof(w->bytes))
		flush(w, text, len);
	else
		weft_h1_write(w, text, len);
}

void weft_h1_write_number(struct weft_h1_writer *w, uint64_t number)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	weft_h1_write(w, digits + i, sizeof(digits) - i);
}

void weft_h1_write_fields(struct weft_h1_writer *w, const struct weft_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct weft_field *f = &fields[i];

		if (weft_http_same(f->name, f->name_len, "connection"))
			continue;
		weft_h1_write(w, f->name, f->name_len);
		weft_h1_write(w, ": ", 2);
		weft_h1_write(w, f->value, f->value_len);
		weft_h1_write(w, "\r\n", 2);
	}
}

enum weft_status weft_h1_write_end(struct weft_h1_writer *w)
{
	flush(w, w->bytes, w->len);
	w->len = 0;
	return w->status;
}
