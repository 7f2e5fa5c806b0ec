/* SPDX-License-Identifier: MIT */
/* Opening files below a directory and nowhere else. */
#ifndef WEFT_ROLES_HTTP_BENEATH_H
#define WEFT_ROLES_HTTP_BENEATH_H

/*
 * Opens path, relative to the open directory and without a leading '/', for reading; "" is the directory.
 * Symbolic links may not leave it. Returns a descriptor, or -1 with errno: EXDEV or ELOOP where the path leaves.
 */
int weft_http_open_beneath(int directory, const char *path);

#endif
