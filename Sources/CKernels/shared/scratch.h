// How kernels cut the memory that they are given.
#ifndef WAN_SCRATCH_H
#define WAN_SCRATCH_H

#include <stddef.h>

enum { WAN_ALIGNMENT = 64 };

static inline size_t wan_rounded_up(size_t x, size_t to) { return (x + to - 1) / to * to; }

static inline void *wan_aligned(const void *at) { return (void *)wan_rounded_up((size_t)at, WAN_ALIGNMENT); }

#endif
