/* SPDX-License-Identifier: MIT */
/* What the parts of the keep-alive benchmark know of each other. */
#ifndef WEFT_BENCH_BENCH_H
#define WEFT_BENCH_BENCH_H

#include <stddef.h>

/* A server that runs in a process of its own: binds, tells its port on fd, serves until it is killed. */
typedef void (*bench_server)(const char *name, int port_fd);

/* A canned answer from an epoll loop that parses nothing but the end of a request: the floor. */
void bench_floor(const char *name, int port_fd);
/* Weft's HTTP server on the event loop called name. */
void bench_weft(const char *name, int port_fd);

/*
 * Sends `requests` GETs of /hello over conns connections, each with at most `depth` under way, and reads the
 * answers. Returns the seconds that it took; exits on any failure.
 */
double bench_load(unsigned port, size_t requests, size_t conns, size_t depth);

/* Prints what and errno, and exits. */
void bench_die(const char *what);

#endif
