/* SPDX-License-Identifier: MIT */
/* The library that needs-library.c is linked with; it is built where nobody looks for it. */
int absent(void);

__attribute__((visibility("default"))) int absent(void)
{
	return 1;
}
