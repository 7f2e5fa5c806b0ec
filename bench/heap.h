/* SPDX-License-Identifier: MIT */
/* The heap of the whole process, libraries included: heap.c stands in for malloc and counts. */
#ifndef WEFT_BENCH_HEAP_H
#define WEFT_BENCH_HEAP_H

/* Bytes that are allocated now, as the allocator rounds them. */
long bench_heap_now(void);

#endif
