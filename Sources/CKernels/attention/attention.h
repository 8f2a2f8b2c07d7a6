// How attention is cut up, shared by its parts.
//
// Queries go in blocks of up to WAN_QUERY_BLOCK, keys in blocks of WAN_KEY_BLOCK. A packed block of keys is
//   keys    [panel][step][lane]   panels of WAN_LANES keys; a step is a dimension (a pair in bfloat16, four in bytes)
//   values  [panel][step][lane]   panels of WAN_LANES dimensions; a step is a key (or a pair or four of them)
// in units of four bytes: a float32, a pair of bfloat16, or four bytes. In bytes there follow
//   key_scales [WAN_KEY_BLOCK], key_offsets [WAN_KEY_BLOCK], value_scales [dimension]
#ifndef WAN_ATTENTION_H
#define WAN_ATTENTION_H

#include "scratch.h"
#include "wan_kernels.h"

enum { WAN_QUERY_BLOCK = 96, WAN_KEY_BLOCK = 256, WAN_WIDEST_PANEL = 32, WAN_BYTES_DIM = 256 };

/// What softmax keeps of a query, with its share of what fills vectors.
enum { WAN_STATE_BYTES = 40 };

/// Rows of queries worked on at once: wide heads get fewer, to stay in the second-level cache.
static inline size_t wan_query_rows(size_t head_dim) { return head_dim > 256 ? WAN_QUERY_BLOCK / 2 : WAN_QUERY_BLOCK; }

#endif
