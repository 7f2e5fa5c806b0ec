/* SPDX-License-Identifier: MIT */
/* Files over HTTP, with all that caches and browsers ask for. weft_http_files is the short form. */
#ifndef WEFT_FILES_H
#define WEFT_FILES_H

#include "weft/status.h"
#include "weft/stream.h"

WEFT_BEGIN

/* What caches may do with files whose path fits. */
struct weft_files_cache {
	const char *pattern; /* as fnmatch(3): "*.css", "/assets/?*"; a star fits slashes, too */
	const char *value;   /* of Cache-Control: "max-age=3600" */
};

/* Zero is each option's default. Nothing is copied: it must outlive the vhosts that serve it. */
struct weft_files {
	const char *directory;
	const char *index; /* what stands for a directory; NULL: "index.html", "": nothing does */
	bool listing;      /* without that, a directory is shown as a list of what is in it */
	const struct weft_files_cache
		*cache; /* the first that fits counts; ended by a NULL pattern */
	/*
	 * NAME.br and NAME.gz, unless older than NAME, are sent instead of NAME to those who accept it.
	 * Files that are compressed already (images, archives, ...) are not looked at for it.
	 */
	bool no_precompressed;
	/*
	 * Others are compressed while they are sent, as far as this build can (WEFT_GZIP, WEFT_BROTLI), if
	 * they are of one of these types and sizes: up to 64 at once in a context, further ones are sent as
	 * they are.
	 */
	bool no_compress;
	size_t compress_min, compress_max; /* bytes; 0: 1,024 and 16 MiB */
	/* "text/" (all of them), "image/svg+xml", ...; ended by NULL; NULL: the usual ones */
	const char *const *compress_types;
};

/*
 * A route's handler with a struct weft_files as its user. GET and HEAD (405 otherwise), of the file that the
 * target's path names below the directory:
 * - Nothing outside the directory is ever opened (no "..", no symbolic link that leaves it), nor a name that
 *   begins with a dot, nor what is no plain file: 404, 403. Directories redirect to their slash.
 * - Content-Type by extension, ETag (strong where the file is sent as it is), Last-Modified; the conditions of
 *   RFC 9110 section 13 (304, 412), Range with up to 16 ranges (206, 416) and If-Range.
 * - Compression as above, by Accept-Encoding; 406 where identity is refused and nothing else there is.
 * Plain connections use sendfile. A file that shrinks while it is sent ends its connection.
 * The stream's ops may be replaced: what goes out in several pieces is fed from on_writable.
 */
WEFT_API enum weft_status weft_http_serve_files(struct weft_stream *s, void *files);

WEFT_END

#endif
