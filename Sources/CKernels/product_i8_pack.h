// Layouts of rows and columns for a product of signed bytes; included once per instruction set.

typedef int8_t V(bytes) __attribute__((vector_size(4 * WAN_PER_STEP)));
typedef int8_t V(bytes_any) __attribute__((vector_size(4 * WAN_PER_STEP), aligned(1), may_alias));
typedef int16_t V(pairs) __attribute__((vector_size(16)));
#if WAN_QUADS
typedef V(vu) V(quads_any) __attribute__((aligned(1), may_alias));
#include "transpose.h"
#endif

WAN_INLINE size_t V(steps)(size_t depth) { return (depth + WAN_PER_STEP - 1) / WAN_PER_STEP; }

/// Steps that a panel has room for: whole groups of four.
WAN_INLINE size_t V(padded_steps)(size_t depth) { return (V(steps)(depth) + 3) / 4 * 4; }

/// Four steps of a row, the first count bytes of which are there.
WAN_INLINE wan_units_t V(four_steps)(const int8_t *from, size_t count) {
  V(bytes) bytes = {0};
  if (count >= sizeof bytes) bytes = *(const V(bytes_any) *)from;
  else memcpy(&bytes, from, count);
#if WAN_QUADS
  return (wan_units_t)bytes;
#else
  return (wan_units_t)__builtin_convertvector(bytes, V(pairs));
#endif
}

/// Lays out the steps of a row that fill whole vectors; returns how many there are.
WAN_INLINE size_t V(pack_whole_steps)(const int8_t *from, size_t depth, wan_unit_t *to) {
  size_t i = 0;
#if WAN_QUADS
  for (; (i + WAN_WIDTH) * WAN_PER_STEP <= depth; i += WAN_WIDTH)
    *(V(vu_any) *)(to + i) = *(const V(quads_any) *)(from + i * WAN_PER_STEP) ^ 0x80808080u;
#else
  (void)from, (void)depth, (void)to;
#endif
  return i;
}

static void V(pack_rows)(const wan_product_block_t *p, size_t first, size_t rows, wan_unit_t *to) {
  size_t steps = V(padded_steps)(p->depth), tiled = (rows + WAN_TILE_ROWS - 1) / WAN_TILE_ROWS * WAN_TILE_ROWS;
  for (size_t r = 0; r < tiled; ++r, to += WAN_ROW_STEPS) {
    if (r >= rows) {
      memset(to, 0, steps * sizeof *to);
      continue;
    }
    const int8_t *from = p->x + (first + r) * p->x_stride;
    for (size_t i = V(pack_whole_steps)(from, p->depth, to); i < steps; i += 4) {
      wan_units_t units = V(four_steps)(from + i * WAN_PER_STEP, p->depth - i * WAN_PER_STEP);
#if WAN_QUADS
      units ^= (int32_t)0x80808080;
#endif
      *(wan_units_any_t *)(to + i) = units;
    }
  }
}

/// Four steps of four columns, turned: to [step][lane].
WAN_INLINE void V(pack_square)(const int8_t *from, size_t stride, size_t columns, size_t count, wan_unit_t *to) {
  wan_units_t a[4] = {{0}};
  for (size_t n = 0; n < columns; ++n) a[n] = V(four_steps)(from + n * stride, count);
  wan_units_t low1 = __builtin_shufflevector(a[0], a[1], 0, 4, 1, 5), high1 = __builtin_shufflevector(a[0], a[1], 2, 6, 3, 7);
  wan_units_t low2 = __builtin_shufflevector(a[2], a[3], 0, 4, 1, 5), high2 = __builtin_shufflevector(a[2], a[3], 2, 6, 3, 7);
  *(wan_units_any_t *)to = __builtin_shufflevector(low1, low2, 0, 1, 4, 5);
  *(wan_units_any_t *)(to + WAN_LANES) = __builtin_shufflevector(low1, low2, 2, 3, 6, 7);
  *(wan_units_any_t *)(to + 2 * WAN_LANES) = __builtin_shufflevector(high1, high2, 0, 1, 4, 5);
  *(wan_units_any_t *)(to + 3 * WAN_LANES) = __builtin_shufflevector(high1, high2, 2, 3, 6, 7);
}

/// What rows raised by 128 add to the sums of a panel's columns.
WAN_INLINE void V(measure_offsets)(const wan_unit_t *panel, size_t steps, wan_unit_t *offsets) {
#if WAN_QUADS
  V(vu) raised = {0}, left = {0}, right = {0};
  raised += 0x80808080u;
  for (size_t i = 0; i < steps; ++i, panel += WAN_LANES) {
    left = WAN_STEP(left, raised, *(const V(vu_any) *)panel);
    right = WAN_STEP(right, raised, *(const V(vu_any) *)(panel + WAN_WIDTH));
  }
  *(V(vu_any) *)offsets = left;
  *(V(vu_any) *)(offsets + WAN_WIDTH) = right;
#else
  (void)panel, (void)steps, (void)offsets;
#endif
}

/// Turns the steps of WAN_WIDTH columns that fill whole squares; returns how many there are.
WAN_INLINE size_t V(pack_squares)(const wan_product_block_t *p, size_t column, wan_unit_t *to) {
  size_t i = 0;
#if WAN_QUADS
  if (column + WAN_WIDTH > p->columns) return 0;
  for (; (i + WAN_WIDTH) * WAN_PER_STEP <= p->depth; i += WAN_WIDTH) {
    V(vf) x[WAN_WIDTH];
#pragma clang loop unroll(full)
    for (size_t n = 0; n < WAN_WIDTH; ++n)
      x[n] = (V(vf))*(const V(quads_any) *)(p->w + (column + n) * p->w_stride + i * WAN_PER_STEP);
    V(transpose)(x, (float *)(to + i * WAN_LANES));
  }
#else
  (void)p, (void)column, (void)to;
#endif
  return i;
}

static void V(pack_columns)(const wan_product_block_t *p, const wan_product_scratch_t *s) {
  size_t steps = V(padded_steps)(p->depth);
  for (size_t c = 0; c < p->columns; c += WAN_LANES) {
    wan_unit_t *panel = s->panels + c * steps;
    size_t turned = 0;
    for (size_t lane = 0; lane < WAN_LANES; lane += 4) {
      if (lane % WAN_WIDTH == 0) turned = V(pack_squares)(p, c + lane, panel + lane);
      size_t column = c + lane, columns = column < p->columns ? wan_smaller(4, p->columns - column) : 0;
      const int8_t *from = p->w + (columns > 0 ? column : 0) * p->w_stride;
      for (size_t i = turned; i < steps; i += 4) {
        size_t k = i * WAN_PER_STEP;
        if (columns == 4) V(pack_square)(from + k, p->w_stride, 4, p->depth - k, panel + i * WAN_LANES + lane);
        else V(pack_square)(from + k, p->w_stride, columns, p->depth - k, panel + i * WAN_LANES + lane);
      }
    }
    V(measure_offsets)(panel, steps, s->offsets + c);
  }
}
