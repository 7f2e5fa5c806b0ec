/* SPDX-License-Identifier: MIT */
/*
 * Monotonic time that stands still until a test pushes it on: what a second brings is met exactly, on any machine.
 * Include it in one file of a program.
 */
#ifndef WEFT_TESTS_SUPPORT_STILL_CLOCK_H
#define WEFT_TESTS_SUPPORT_STILL_CLOCK_H

#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t still_clock_ms = 1000000;

#pragma GCC visibility push(default)

int clock_gettime(clockid_t id, struct timespec *ts)
{
	if (id != CLOCK_MONOTONIC)
		return (int)syscall(SYS_clock_gettime, id, ts);
	ts->tv_sec = (time_t)(still_clock_ms / 1000);
	ts->tv_nsec = (long)(still_clock_ms % 1000) * 1000000;
	return 0;
}

#pragma GCC visibility pop

#endif
