// Layouts of rows and columns for a product of signed bytes; included once per instruction set.

typedef int8_t V(bytes) __attribute__((vector_size(4 * WAN_PER_STEP)));
typedef int8_t V(bytes_any) __attribute__((vector_size(4 * WAN_PER_STEP), aligned(1), may_alias));
typedef int16_t V(pairs) __attribute__((vector_size(16)));
#if WAN_QUADS
typedef V(vu) V(quads_any) __attribute__((aligned(1), may_alias));
#include "transpose.h"
#endif

/// What makes columns unsigned where the instruction wants that.
enum { V(raised) = WAN_QUADS ? (int32_t)0x80808080 : 0 };

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

/// Whether rows can be read where they lie: whole tiles of them, whose steps have all their bytes.
WAN_INLINE int V(rows_are_units)(const wan_product_i8_t *p, size_t rows) {
  return WAN_QUADS && rows % WAN_TILE_ROWS == 0 && p->depth % WAN_PER_STEP == 0;
}

static void V(pack_rows)(const wan_product_i8_t *p, size_t first, size_t rows, wan_unit_t *to) {
  size_t steps = V(padded_steps)(p->depth), tiled = wan_rounded_up(rows, WAN_TILE_ROWS);
  for (size_t r = 0; r < tiled; ++r, to += WAN_ROW_STEPS) {
    if (r >= rows) {
      memset(to, 0, steps * sizeof *to);
      continue;
    }
    const int8_t *from = p->rows + (first + r) * p->rows_stride;
    for (size_t i = 0; i < steps; i += 4)
      *(wan_units_any_t *)(to + i) = V(four_steps)(from + i * WAN_PER_STEP, p->depth - i * WAN_PER_STEP);
  }
}

/// Four steps of four columns, turned: to [step][lane].
WAN_INLINE void V(pack_square)(const int8_t *from, size_t stride, size_t columns, size_t count, wan_unit_t *to) {
  wan_units_t a[4] = {{0}};
  for (size_t n = 0; n < columns; ++n) a[n] = V(four_steps)(from + n * stride, count) ^ V(raised);
  wan_units_t low1 = __builtin_shufflevector(a[0], a[1], 0, 4, 1, 5), high1 = __builtin_shufflevector(a[0], a[1], 2, 6, 3, 7);
  wan_units_t low2 = __builtin_shufflevector(a[2], a[3], 0, 4, 1, 5), high2 = __builtin_shufflevector(a[2], a[3], 2, 6, 3, 7);
  *(wan_units_any_t *)to = __builtin_shufflevector(low1, low2, 0, 1, 4, 5);
  *(wan_units_any_t *)(to + WAN_LANES) = __builtin_shufflevector(low1, low2, 2, 3, 6, 7);
  *(wan_units_any_t *)(to + 2 * WAN_LANES) = __builtin_shufflevector(high1, high2, 0, 1, 4, 5);
  *(wan_units_any_t *)(to + 3 * WAN_LANES) = __builtin_shufflevector(high1, high2, 2, 3, 6, 7);
}

/// Turns the steps of WAN_WIDTH columns that fill whole squares; returns how many there are.
WAN_INLINE size_t V(pack_squares)(const wan_product_i8_t *p, size_t column, wan_unit_t *to) {
  size_t i = 0;
#if WAN_QUADS
  if (column + WAN_WIDTH > p->columns) return 0;
  for (; (i + WAN_WIDTH) * WAN_PER_STEP <= p->depth; i += WAN_WIDTH) {
    V(vf) x[WAN_WIDTH];
#pragma clang loop unroll(full)
    for (size_t n = 0; n < WAN_WIDTH; ++n)
      x[n] = (V(vf))(*(const V(quads_any) *)(p->weights + (column + n) * p->weights_stride + i * WAN_PER_STEP) ^ 0x80808080u);
    V(transpose)(x, (float *)(to + i * WAN_LANES));
  }
#else
  (void)p, (void)column, (void)to;
#endif
  return i;
}

static void V(pack_columns)(const wan_product_i8_t *p, wan_unit_t *panels) {
  size_t steps = V(padded_steps)(p->depth);
  for (size_t c = 0; c < p->columns; c += WAN_LANES) {
    wan_unit_t *panel = panels + c * steps;
    size_t turned = 0;
    for (size_t lane = 0; lane < WAN_LANES; lane += 4) {
      if (lane % WAN_WIDTH == 0) turned = V(pack_squares)(p, c + lane, panel + lane);
      size_t column = c + lane, columns = column < p->columns ? wan_smaller(4, p->columns - column) : 0;
      const int8_t *from = p->weights + (columns > 0 ? column : 0) * p->weights_stride;
      for (size_t i = turned; i < steps; i += 4) {
        size_t k = i * WAN_PER_STEP;
        if (columns == 4) V(pack_square)(from + k, p->weights_stride, 4, p->depth - k, panel + i * WAN_LANES + lane);
        else V(pack_square)(from + k, p->weights_stride, columns, p->depth - k, panel + i * WAN_LANES + lane);
      }
    }
  }
}

/// The columns of a matrix that is stored in codes, a panel at a time.
static void V(pack_codes)(const wan_product_i8_t *p, const wan_product_scratch_t *s) {
  enum { stride = WAN_ROW_STEPS * sizeof(wan_unit_t) };
  for (size_t c = 0; c < p->columns; c += WAN_LANES) {
    const wan_codes_part_t codes = {.row = p->codes_row + c,
                                    .rows = wan_smaller(WAN_LANES, p->columns - c),
                                    .first = p->codes_first,
                                    .count = p->depth};
    const wan_product_i8_t part = {
        .columns = codes.rows, .weights = s->bytes, .weights_stride = stride, .depth = p->depth};
    wan_decode_bytes(p->codes, codes, p->factors, s->bytes, stride);
    V(pack_columns)(&part, s->panels + c * V(padded_steps)(p->depth));
  }
}
