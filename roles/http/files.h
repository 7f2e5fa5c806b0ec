/* SPDX-License-Identifier: MIT */
/* The parts of the handler that serves files: find, decide, send. */
#ifndef WEFT_ROLES_HTTP_FILES_H
#define WEFT_ROLES_HTTP_FILES_H

#include <sys/stat.h>

#include "roles/http/coding.h"
#include "roles/http/range.h"
#include "roles/http/validator.h"
#include "weft/context.h"
#include "weft/files.h"
#include "weft/segment.h"

enum { WEFT_FILES_PATH = 2048, WEFT_FILES_FIELDS = 10 };

/* A descriptor that is closed with the last segment that refers to it. */
struct weft_file {
	struct weft_owner owner;
	const struct weft_allocator *alloc;
	unsigned refs;
	int fd;
};

/* Takes fd over, closed on failure. NULL: no memory. */
struct weft_file *weft_file_make(const struct weft_allocator *alloc, int fd);
static inline void weft_file_release(struct weft_file *f)
{
	f->owner.release(&f->owner);
}

/* A request and what was found for it. */
struct weft_files_job {
	struct weft_stream *stream;
	const struct weft_files *files;
	const struct weft_head *request;
	bool head;                  /* HEAD */
	char path[WEFT_FILES_PATH]; /* decoded, begins with '/'; with the index behind it */
	int dir;                    /* the open directory: the context's */
	int fd;                     /* what was found, or -1; the job's */
	struct stat st;             /* of fd */
	const char *type;
	enum weft_http_coding coding;                /* of the representation */
	const struct weft_http_encoder_ops *encoder; /* made while it is sent; NULL: fd has it */
	bool identity_ok;                            /* the file as it is may be sent */
	void *flow;                                  /* the encoder at work */
	struct weft_http_validator v;
	/* of the answer */
	struct weft_field fields[WEFT_FILES_FIELDS];
	size_t field_count;
	char modified[30];
};

static inline void weft_files_field(struct weft_files_job *job, const char *name, const char *value)
{
	job->fields[job->field_count++] = weft_field(name, value);
}

/*
 * The descriptor of a directory, which is the context's and kept open; renamed or replaced ones are noticed
 * within a second. -1 with errno.
 */
int weft_files_directory(struct weft_context *ctx, const char *path);
/* How many files the context is compressing. NULL: no memory. */
unsigned *weft_files_encoding(struct weft_context *ctx);
/* Opens what path names into fd and st, the index for a directory. errno, 0: found. */
int weft_files_find(struct weft_files_job *job);
/* Chooses coding and representation, which may replace fd. false: none is acceptable. */
bool weft_files_negotiate(struct weft_files_job *job);
/* Whether this type comes in other codings at all; then Vary must say so. */
bool weft_files_varies(const struct weft_files_job *job);

/* Answers with job->fields; all take fd over. */
enum weft_status weft_files_send(
	struct weft_files_job *job, unsigned status, uint64_t off, uint64_t len);
enum weft_status weft_files_send_parts(
	struct weft_files_job *job, const struct weft_http_range *ranges, size_t count);
enum weft_status weft_files_send_encoded(struct weft_files_job *job);
/*
 * To be called before a GET's send_encoded. false: no memory, or too many at once, and fd is still the job's.
 */
bool weft_files_prepare_encoder(struct weft_files_job *job);
/* The directory fd as HTML. */
enum weft_status weft_files_list(struct weft_files_job *job);

#endif
