/* SPDX-License-Identifier: MIT */
/* The process's lock and the thread's signal mask, by POSIX threads. */
#include "core/system/threads.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void weft_process_lock(void)
{
	pthread_mutex_lock(&lock);
}

void weft_process_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

void weft_signal_mask(int how, const sigset_t *set, sigset_t *before)
{
	pthread_sigmask(how, set, before);
}
