// Products of float32 rows with a float32 or bfloat16 matrix that is laid out while it is used.
//
// For every stretch of WAN_DEPTH_BLOCK inputs the matrix is copied into panels [panel][input][lane], small enough to
// stay in the second-level cache; then each panel, in the first-level cache, meets all rows, WAN_TILE_ROWS at a time.
#ifndef WAN_WIDTH
#define WAN_FILE "product.c"

enum { WAN_DEPTH_BLOCK = 512, WAN_ROW_BLOCK = 96 };

#include "scratch.h"
#include "variants.h"

/// The widest set's panel.
enum { WAN_WIDEST_LANES = 32 };

size_t wan_product_columns(size_t columns) { return wan_rounded_up(columns, WAN_WIDEST_LANES); }

size_t wan_product_scratch_bytes(size_t columns, size_t depth) {
  return wan_product_columns(columns) * wan_smaller(depth, WAN_DEPTH_BLOCK) * sizeof(float) + WAN_ALIGNMENT;
}

void wan_product(const wan_product_t *product, void *scratch) {
  float *panels = wan_aligned(scratch);
  WAN_DISPATCH(product, product, panels);
}
#else
// Twelve rows would need more addresses than there are registers for.
#define WAN_TILE_ROWS 6
#include "tile.h"

#if WAN_WIDTH == 8
// In 128-bit lanes first, where a shuffle is one instruction; the halves change places last.
#define WAN_LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define WAN_HIGH(a, b) __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define WAN_LOW_PAIRS(a, b) __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define WAN_HIGH_PAIRS(a, b) __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#define WAN_LOW_HALVES(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define WAN_HIGH_HALVES(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15)

/// to[k * WAN_LANES + n] = x[n][k]
WAN_INLINE void V(transpose)(const V(vf) * x, float *to) {
  V(vf) a[8], b[8];
  for (int i = 0; i < 8; i += 2) a[i] = WAN_LOW(x[i], x[i + 1]), a[i + 1] = WAN_HIGH(x[i], x[i + 1]);
  for (int i = 0; i < 8; i += 4)
    for (int j = 0; j < 2; ++j) {
      b[i + 2 * j] = WAN_LOW_PAIRS(a[i + j], a[i + 2 + j]);
      b[i + 2 * j + 1] = WAN_HIGH_PAIRS(a[i + j], a[i + 2 + j]);
    }
  for (int j = 0; j < 4; ++j) {
    *(V(vf_any) *)(to + j * WAN_LANES) = WAN_LOW_HALVES(b[j], b[4 + j]);
    *(V(vf_any) *)(to + (4 + j) * WAN_LANES) = WAN_HIGH_HALVES(b[j], b[4 + j]);
  }
}
#undef WAN_LOW_PAIRS
#undef WAN_HIGH_PAIRS
#undef WAN_LOW_HALVES
#undef WAN_HIGH_HALVES
#else
#if WAN_WIDTH == 4
#define WAN_LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define WAN_HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#else
#define WAN_LOW(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define WAN_HIGH(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#endif

/// to[k * WAN_LANES + n] = x[n][k]: as many perfect shuffles as the width has bits.
WAN_INLINE void V(transpose)(const V(vf) * x, float *to) {
  V(vf) a[WAN_WIDTH], b[WAN_WIDTH];
  memcpy(a, x, sizeof a);
  for (int width = WAN_WIDTH; width > 1; width /= 2) {
    for (int i = 0; i < WAN_WIDTH / 2; ++i) {
      b[2 * i] = WAN_LOW(a[i], a[i + WAN_WIDTH / 2]);
      b[2 * i + 1] = WAN_HIGH(a[i], a[i + WAN_WIDTH / 2]);
    }
    memcpy(a, b, sizeof a);
  }
  for (int k = 0; k < WAN_WIDTH; ++k) *(V(vf_any) *)(to + k * WAN_LANES) = a[k];
}
#endif
#undef WAN_LOW
#undef WAN_HIGH

/// WAN_WIDTH columns of the matrix, from input k on: one half of a panel. Columns past the last are zero.
WAN_INLINE void V(pack_columns)(const wan_product_t *p, size_t column, size_t k, size_t depth, float *to) {
  size_t live = column < p->columns ? wan_smaller(WAN_WIDTH, p->columns - column) : 0;
  for (size_t i = 0; i < depth; i += WAN_WIDTH) {
    size_t count = wan_smaller(WAN_WIDTH, depth - i);
    V(vf) x[WAN_WIDTH];
    for (size_t n = 0; n < WAN_WIDTH; ++n)
      x[n] = n < live ? V(load)(p->weights, p->weights_type, (column + n) * p->weights_stride + k + i, count) : V(splat)(0);
    if (count == WAN_WIDTH) {
      V(transpose)(x, to + i * WAN_LANES);
    } else {
      for (size_t j = 0; j < count; ++j)
        for (size_t n = 0; n < WAN_WIDTH; ++n) to[(i + j) * WAN_LANES + n] = x[n][j];
    }
  }
}

static void V(pack_panel)(const wan_product_t *p, size_t column, size_t k, size_t depth, float *panel) {
  V(pack_columns)(p, column, k, depth, panel);
  V(pack_columns)(p, column + WAN_WIDTH, k, depth, panel + WAN_WIDTH);
}

#define WAN_TILE_BEGIN(r)                       \
  const float *row##r = rows[r];                \
  V(vf) left_sum##r = {0}, right_sum##r = {0};  \
  __builtin_prefetch(dst + r * stride, 1);
#define WAN_TILE_ADD(r)                                 \
  factor = row##r[i] - zero;                            \
  left_sum##r = V(fma)(factor, left, left_sum##r);      \
  right_sum##r = V(fma)(factor, right, right_sum##r);
#define WAN_TILE_STORE(r)                                                   \
  if (r < live) {                                                           \
    at = (V(vf_any) *)(dst + r * stride);                                   \
    at[0] = adds ? at[0] + left_sum##r : left_sum##r;                       \
    at[1] = adds ? at[1] + right_sum##r : right_sum##r;                     \
  }

/// dst[r][lane] (+)= rows[r] . panel, for one tile.
static void V(product_tile)(const float *const *rows, size_t live, const float *panel, size_t depth, float *dst,
                            size_t stride, int adds) {
  const V(vf) zero = {0};
  V(vf_any) * at;
  WAN_TILE_EACH(WAN_TILE_BEGIN)
#pragma clang loop unroll_count(4)
  for (size_t i = 0; i < depth; ++i) {
    const V(vf_any) *lanes = (const V(vf_any) *)(panel + i * WAN_LANES);
    V(vf) left = lanes[0], right = lanes[1], factor;
    WAN_TILE_EACH(WAN_TILE_ADD)
  }
  WAN_TILE_EACH(WAN_TILE_STORE)
}
#undef WAN_TILE_BEGIN
#undef WAN_TILE_ADD
#undef WAN_TILE_STORE

/// Some rows against all panels of one stretch of inputs.
static void V(product_rows)(const wan_product_t *p, size_t first, size_t count, size_t k, size_t depth,
                            const float *panels, int adds) {
  for (size_t column = 0; column < p->columns; column += WAN_LANES, panels += WAN_LANES * depth)
    for (size_t r = first; r < first + count; r += WAN_TILE_ROWS) {
      size_t live = wan_smaller(WAN_TILE_ROWS, first + count - r);
      const float *rows[WAN_TILE_ROWS];
      for (size_t i = 0; i < WAN_TILE_ROWS; ++i) rows[i] = p->rows[r + (i < live ? i : 0)] + p->row_offset + k;
      V(product_tile)(rows, live, panels, depth, p->dst + r * p->dst_stride + column, p->dst_stride, adds);
    }
}

static void V(product)(const wan_product_t *p, float *panels) {
  for (size_t k = 0; k < p->depth; k += WAN_DEPTH_BLOCK) {
    size_t depth = wan_smaller(WAN_DEPTH_BLOCK, p->depth - k);
    for (size_t column = 0; column < p->columns; column += WAN_LANES)
      V(pack_panel)(p, column, k, depth, panels + column * depth);
    for (size_t r = 0; r < p->row_count; r += WAN_ROW_BLOCK)
      V(product_rows)(p, r, wan_smaller(WAN_ROW_BLOCK, p->row_count - r), k, depth, panels, p->adds || k > 0);
  }
}
#include "tile_end.h"
#endif
