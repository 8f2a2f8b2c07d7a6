// The layout of a product's matrix; included once per instruction set by product_kernels.h.
#include "transpose.h"

/// WAN_WIDTH steps of one row of the matrix, from input k on, count inputs of which are there.
WAN_INLINE V(vf) V(load_steps)(const wan_product_t *p, size_t column, size_t k, size_t count) {
  size_t index = column * p->weights_stride + k;
#if WAN_PAIRS
  const uint16_t *at = (const uint16_t *)p->weights + index;
  V(vf) pairs = {0};
  if (count >= WAN_WIDTH * WAN_PER_STEP) pairs = *(const V(units_any) *)at;
  else memcpy(&pairs, at, count * sizeof *at);
  return pairs;
#else
  return V(load)(p->weights, p->weights_type, index, count);
#endif
}

/// At an edge of the matrix: columns and inputs past the last are zero.
static void V(pack_edge)(const wan_product_t *p, size_t column, size_t k, size_t depth, float *to) {
  size_t live = column < p->columns ? wan_smaller(WAN_WIDTH, p->columns - column) : 0;
  size_t steps = wan_smaller(WAN_WIDTH, V(steps)(depth));
  for (size_t n = 0; n < WAN_WIDTH; ++n) {
    V(vf) x = n < live ? V(load_steps)(p, column + n, k, depth) : V(splat)(0);
    for (size_t j = 0; j < steps; ++j) memcpy(to + j * WAN_LANES + n, (float *)&x + j, sizeof *to);
  }
}

/// WAN_WIDTH columns of the matrix, from input k on: one half of a panel.
WAN_INLINE void V(pack_columns)(const wan_product_t *p, size_t column, size_t k, size_t depth, float *to) {
  const size_t square = WAN_WIDTH * WAN_PER_STEP;
  for (size_t i = 0; i < depth; i += square, to += WAN_WIDTH * WAN_LANES) {
    if (column + WAN_WIDTH > p->columns || i + square > depth) {
      V(pack_edge)(p, column, k + i, depth - i, to);
      continue;
    }
    V(vf) x[WAN_WIDTH];
#pragma clang loop unroll(full)
    for (size_t n = 0; n < WAN_WIDTH; ++n) x[n] = V(load_steps)(p, column + n, k + i, square);
    V(transpose)(x, to);
  }
}

static void V(pack_panel)(const wan_product_t *p, size_t column, size_t k, size_t depth, float *panel) {
  V(pack_columns)(p, column, k, depth, panel);
  V(pack_columns)(p, column + WAN_WIDTH, k, depth, panel + WAN_WIDTH);
}

/// A panel of a matrix that is stored in codes; its numbers are put before the panels first.
static void V(pack_codes)(const wan_product_t *p, size_t column, size_t k, size_t depth, float *panel, void *numbers) {
  const wan_codes_part_t codes = {
      .row = p->codes_row + column, .rows = wan_smaller(WAN_LANES, p->columns - column), .first = k, .count = depth};
  const wan_product_t part = {.columns = codes.rows,
                              .weights = numbers,
                              .weights_type = p->weights_type,
                              .weights_stride = wan_rounded_up(depth, 32)};
  wan_decode(p->codes, codes, numbers, p->weights_type, part.weights_stride);
  V(pack_panel)(&part, 0, 0, depth, panel);
}
