/* SPDX-License-Identifier: MIT */
/* In place of threads.c where a build must do without threads (WEFT_NO_THREADS): there is nobody to wait for. */
#include "core/system/threads.h"

void weft_process_lock(void)
{
}

void weft_process_unlock(void)
{
}

void weft_signal_mask(int how, const sigset_t *set, sigset_t *before)
{
	sigprocmask(how, set, before);
}
