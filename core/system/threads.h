/* SPDX-License-Identifier: MIT */
/*
 * What a process has once, guarded against other threads: threads.c. A build with WEFT_NO_THREADS has
 * no_threads.c instead, and asks nothing of a thread library: all of its contexts are one thread's.
 */
#ifndef WEFT_CORE_SYSTEM_THREADS_H
#define WEFT_CORE_SYSTEM_THREADS_H

#include <signal.h>

/* One lock for all that is the process's. Held for moments, never while somebody's function runs. */
void weft_process_lock(void);
void weft_process_unlock(void);

/* sigprocmask for the calling thread: how, set and before as there. */
void weft_signal_mask(int how, const sigset_t *set, sigset_t *before);

#endif
