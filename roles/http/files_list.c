/* SPDX-License-Identifier: MIT */
/* A directory as a page: names, sizes, times. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "roles/http/files.h"
#include "weft/buffer.h"
#include "weft/http.h"

/* More than a page can sensibly show: the rest is left out, and that is said. */
enum { ENTRIES_MAX = 10000 };

struct entry {
	char *name;
	bool directory;
	int64_t size, modified;
};

struct list {
	const struct weft_allocator *alloc;
	struct weft_buffer entries; /* struct entry */
	bool cut, failed;
};

static struct entry *entries_of(const struct list *l, size_t *count)
{
	*count = weft_buffer_len(&l->entries) / sizeof(struct entry);
	return (struct entry *)(void *)(uintptr_t)weft_buffer_bytes(&l->entries);
}

static void finish(struct list *l)
{
	size_t count;
	struct entry *e = entries_of(l, &count);

	for (size_t i = 0; i < count; i++)
		weft_strfree(l->alloc, e[i].name);
	weft_buffer_finish(&l->entries);
}

static void add(struct list *l, int dir, const char *name)
{
	struct entry e = { .name = NULL };
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) ||
		!(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode)))
		return;
	if (weft_buffer_len(&l->entries) / sizeof(e) >= ENTRIES_MAX) {
		l->cut = true;
		return;
	}
	e.directory = S_ISDIR(st.st_mode);
	e.size = S_ISREG(st.st_mode) ? st.st_size : -1;
	e.modified = st.st_mtime;
	e.name = weft_strndup(l->alloc, name, strlen(name));
	if (!e.name) {
		l->failed = true;
		return;
	}
	weft_buffer_append(&l->entries, &e, sizeof(e));
	if (!l->entries.failed)
		return;
	weft_strfree(l->alloc, e.name);
	l->failed = true;
}

static int by_name(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->directory != y->directory)
		return x->directory ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Takes fd over. false: no memory. */
static bool read_directory(struct list *l, int fd)
{
	DIR *dir = fdopendir(fd);
	struct dirent *d;
	struct entry *e;
	size_t count;

	if (!dir) {
		close(fd);
		return false;
	}
	while (!l->failed && !l->cut && (d = readdir(dir))) {
		if (d->d_name[0] != '.')
			add(l, fd, d->d_name);
	}
	closedir(dir);
	e = entries_of(l, &count);
	if (count)
		qsort(e, count, sizeof(*e), by_name);
	return !l->failed;
}

static void put(struct weft_buffer *b, const char *text)
{
	weft_buffer_append(b, text, strlen(text));
}

/* As text of the page: nothing of a name is markup. */
static void put_html(struct weft_buffer *b, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			put(b, "&amp;");
			break;
		case '<':
			put(b, "&lt;");
			break;
		case '>':
			put(b, "&gt;");
			break;
		case '"':
			put(b, "&quot;");
			break;
		default:
			weft_buffer_append(b, text, 1);
		}
	}
}

/* As a relative reference: what is not unreserved is escaped, ':' and '%' and quotes with it. */
static void put_reference(struct weft_buffer *b, const char *name)
{
	static const char hex[] = "0123456789ABCDEF";
	char escaped[3] = { '%' };

	for (; *name; name++) {
		unsigned char c = (unsigned char)*name;

		if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') {
			weft_buffer_append(b, name, 1);
		} else if ((c >= '0' && c <= '9') || strchr("-._~", c)) {
			weft_buffer_append(b, name, 1);
		} else {
			escaped[1] = hex[c >> 4];
			escaped[2] = hex[c & 15];
			weft_buffer_append(b, escaped, 3);
		}
	}
}

static void put_entry(struct weft_buffer *b, const struct entry *e)
{
	char date[30], size[32] = "-";
	const char *slash = e->directory ? "/" : "";

	weft_http_date(e->modified, date);
	if (e->size >= 0)
		snprintf(size, sizeof(size), "%lld", (long long)e->size);
	put(b, "<tr><td><a href=\"");
	put_reference(b, e->name);
	put(b, slash);
	put(b, "\">");
	put_html(b, e->name);
	put(b, slash);
	put(b, "</a></td><td align=\"right\">");
	put(b, size);
	put(b, "</td><td>");
	put(b, date);
	put(b, "</td></tr>\n");
}

static void put_page(struct weft_buffer *b, const char *path, const struct list *l)
{
	size_t count;
	const struct entry *e = entries_of(l, &count);

	put(b, "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>");
	put_html(b, path);
	put(b, "</title></head><body>\n<h1>");
	put_html(b, path);
	put(b, "</h1>\n<table>\n");
	if (strcmp(path, "/"))
		put(b, "<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n");
	for (size_t i = 0; i < count; i++)
		put_entry(b, &e[i]);
	put(b, "</table>\n");
	if (l->cut)
		put(b, "<p>There is more than is shown here.</p>\n");
	put(b, "</body></html>\n");
}

enum weft_status weft_files_list(struct weft_files_job *job)
{
	struct list l = { .alloc = weft_context_allocator(weft_stream_context(job->stream)) };
	enum weft_status st = WEFT_ERR_MEMORY;
	struct weft_buffer page;

	weft_buffer_init(&l.entries, l.alloc);
	weft_buffer_init(&page, l.alloc);
	if (read_directory(&l, job->fd)) {
		put_page(&page, job->path, &l);
		if (!page.failed)
			st = weft_http_reply(job->stream, 200, "text/html; charset=utf-8",
				weft_buffer_bytes(&page), weft_buffer_len(&page));
	}
	weft_buffer_finish(&page);
	finish(&l);
	return st;
}
