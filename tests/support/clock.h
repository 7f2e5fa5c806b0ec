/* SPDX-License-Identifier: MIT */
/*
 * Monotonic time that a test can push on, by standing in for clock_gettime: what is due in an hour is met without
 * waiting, and nothing depends on how fast the machine is. Include it in one file of a program.
 */
#ifndef WEFT_TESTS_SUPPORT_CLOCK_H
#define WEFT_TESTS_SUPPORT_CLOCK_H

#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t clock_ahead_s;

static inline void clock_skip(uint64_t seconds)
{
	clock_ahead_s += seconds;
}

#pragma GCC visibility push(default)

int clock_gettime(clockid_t id, struct timespec *ts)
{
	int ret = (int)syscall(SYS_clock_gettime, id, ts);

	if (!ret && (id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE))
		ts->tv_sec += (time_t)clock_ahead_s;
	return ret;
}

#pragma GCC visibility pop

static inline uint64_t clock_now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec;
}

#endif
