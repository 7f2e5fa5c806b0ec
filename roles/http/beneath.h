/* SPDX-License-Identifier: MIT */
/* Opening files below a directory and nowhere else. */
#ifndef WEFT_ROLES_HTTP_BENEATH_H
#define WEFT_ROLES_HTTP_BENEATH_H

/*
 * Opens path, relative to directory and without a leading '/', for reading. Symbolic links may not leave
 * the directory. Returns a descriptor, or -1 with errno: EXDEV or ELOOP where the path leaves it.
 */
int weft_http_open_beneath(const char *directory, const char *path);

#endif
