// Products of signed bytes for one instruction set. With WAN_QUADS a step takes four bytes (vpdpbusd), the columns'
// unsigned: they are raised by 128, and what that adds, 128 times the row's sum, is taken off again. All sums are exact
// modulo 2^32, and the results lie well within it.
//
// Twelve rows would need more addresses than there are registers for.
#define WAN_TILE_ROWS 6
#include "product_i8.h"
#include "tile.h"

#if WAN_QUADS
#define WAN_PER_STEP 4
#define WAN_STEP(sum, a, b) WAN_DOT_BYTES(sum, b, a)
#else
#define WAN_PER_STEP 2
#if WAN_X86 && WAN_WIDTH == 16
#define WAN_STEP(sum, a, b) (sum) + (V(vu))WAN_DOT_PAIRS(a, b)
#elif WAN_X86 && WAN_WIDTH == 8
#define WAN_STEP(sum, a, b) (sum) + (V(vu))_mm256_madd_epi16((__m256i)(a), (__m256i)(b))
#elif WAN_X86
#define WAN_STEP(sum, a, b) (sum) + (V(vu))_mm_madd_epi16((__m128i)(a), (__m128i)(b))
#else
#define WAN_LOW(x) ((V(vi))((x) << 16) >> 16)
#define WAN_HIGH(x) ((V(vi))(x) >> 16)
#define WAN_STEP(sum, a, b) (sum) + (V(vu))(WAN_LOW(a) * WAN_LOW(b) + WAN_HIGH(a) * WAN_HIGH(b))
#endif
#endif

typedef V(vu) V(vu_any) __attribute__((aligned(4), may_alias));

/// Steps of a block of the depth, such that a panel takes 16 KiB and stays in the first-level cache.
enum { V(block_steps) = WAN_LANES > 16 ? 4096 / WAN_LANES : WAN_ROW_STEPS };

#include "product_i8_pack.h"
#include "product_i8_tiles.h"

/// The tile of rows and columns from r and c on: whole rows where they lie, if their bytes are units.
static void V(multiply_tile)(const wan_product_i8_t *p, size_t r, size_t c, int fresh, const wan_product_scratch_t *s,
                             int packed) {
  const size_t height = wan_smaller(WAN_TILE_ROWS, p->row_count - r), columns = wan_smaller(WAN_LANES, p->columns - c);
  int32_t spare[WAN_TILE_ROWS * WAN_LANES], *to = p->dst + r * p->dst_stride + c;
  V(tile_t) tile = {.rows = (const char *)p->rows + r * p->rows_stride, .row_bytes = p->rows_stride};
  if (packed) {
    tile.rows = (const char *)(s->rows + r % WAN_ROW_BLOCK * WAN_ROW_STEPS);
    tile.row_bytes = WAN_ROW_STEPS * sizeof(wan_unit_t);
  }
  tile.panel = s->panels + c * V(padded_steps)(p->depth);
  tile.steps = V(steps)(p->depth);
  V(start_tile)(p, r, height, fresh, tile.start);
  if (height == WAN_TILE_ROWS && columns == WAN_LANES) {
    V(tile)(&tile, to, p->dst_stride, !fresh);
    return;
  }
  V(tile)(&tile, spare, WAN_LANES, 0);
  V(copy_tile)(spare, height, columns, to, p->dst_stride, fresh);
}

/// Some rows by all columns, whose panels are laid out.
static void V(multiply_rows)(const wan_product_i8_t *p, size_t first, size_t rows, int fresh,
                             const wan_product_scratch_t *s, wan_ahead_t *ahead) {
  const int packed = !V(rows_are_units)(p, rows);
  if (packed) V(pack_rows)(p, first, rows, s->rows);
  for (size_t c = 0; c < p->columns; c += WAN_LANES)
    for (size_t r = first; r < first + rows; r += WAN_TILE_ROWS) {
      if (c == 0 && !packed) V(fetch_rows)(p, r + WAN_TILE_ROWS);
      V(multiply_tile)(p, r, c, fresh, s, packed);
      wan_fetch(ahead);
    }
}

/// All rows by at most WAN_COLUMN_BLOCK columns and a block's depth, added to dst or, if fresh, put there.
static void V(multiply_block)(const wan_product_i8_t *p, int fresh, const int8_t *next, const wan_product_scratch_t *s) {
  const size_t tiles = (p->row_count + WAN_TILE_ROWS - 1) / WAN_TILE_ROWS * ((p->columns + WAN_LANES - 1) / WAN_LANES);
  wan_ahead_t ahead = wan_ahead(next, p->weights_stride, p->depth, p->columns, tiles);
  V(pack_columns)(p, s->panels);
  for (size_t r = 0; r < p->row_count; r += WAN_ROW_BLOCK)
    V(multiply_rows)(p, r, wan_smaller(WAN_ROW_BLOCK, p->row_count - r), fresh, s, &ahead);
}

static void V(product_i8)(const wan_product_i8_t *whole, const wan_product_scratch_t *s) {
  const size_t deepest = V(block_steps) * WAN_PER_STEP;
  for (size_t c = 0; c < whole->columns; c += WAN_COLUMN_BLOCK)
    for (size_t k = 0; k < whole->depth; k += deepest) {
      wan_product_i8_t block = *whole;
      block.rows += k;
      block.weights += c * whole->weights_stride + k;
      block.dst += c;
      block.columns = wan_smaller(WAN_COLUMN_BLOCK, whole->columns - c);
      block.depth = wan_smaller(deepest, whole->depth - k);
      const int8_t *next = k + deepest < whole->depth ? block.weights + deepest : whole->next_weights;
      V(multiply_block)(&block, k == 0, next, s);
    }
}

#undef WAN_PER_STEP
#undef WAN_STEP
#undef WAN_LOW
#undef WAN_HIGH
#include "tile_end.h"
