// How attention is cut up, shared by its parts.
//
// Queries go in blocks of up to WAN_QUERY_BLOCK, keys in blocks of WAN_KEY_BLOCK. A packed block of keys is
//   keys    [panel][step][lane]   panels of WAN_LANES keys; a step is a dimension (or a pair of them in bfloat16)
//   values  [panel][step][lane]   panels of WAN_LANES dimensions; a step is a key (or a pair of them)
// in units of four bytes: a float32, or a pair of bfloat16.
#ifndef WAN_ATTENTION_H
#define WAN_ATTENTION_H

#include "scratch.h"
#include "wan_kernels.h"

enum { WAN_QUERY_BLOCK = 96, WAN_KEY_BLOCK = 256, WAN_WIDEST_PANEL = 32 };

/// Rows of queries worked on at once: wide heads get fewer, to stay in the second-level cache.
static inline size_t wan_query_rows(size_t head_dim) { return head_dim > 256 ? WAN_QUERY_BLOCK / 2 : WAN_QUERY_BLOCK; }

#endif
