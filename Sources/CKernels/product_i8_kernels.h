// Products of signed bytes for one instruction set. With WAN_QUADS a step takes four bytes (vpdpbusd), whose rows are
// unsigned: they are raised by 128, and what that adds, 128 times the column's sum, is taken off again. All sums are
// exact modulo 2^32, and the results lie well within it.
#include "product_i8.h"
#include "tile.h"

#if WAN_QUADS
#define WAN_PER_STEP 4
#define WAN_STEP(sum, a, b) (V(vu))WAN_DOT_BYTES(sum, a, b)
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

/// The panels of columns by the rows that are laid out, tile by tile.
static void V(multiply_panels)(const wan_product_block_t *p, size_t rows, int32_t *dst, const wan_product_scratch_t *s) {
  size_t steps = V(steps)(p->depth);
  int32_t spare[WAN_TILE_ROWS * WAN_LANES];
  for (size_t c = 0; c < p->columns; c += WAN_LANES) {
    const wan_unit_t *panel = s->panels + c * V(padded_steps)(p->depth);
    size_t columns = wan_smaller(WAN_LANES, p->columns - c);
    for (size_t r = 0; r < rows; r += WAN_TILE_ROWS) {
      size_t height = wan_smaller(WAN_TILE_ROWS, rows - r);
      int32_t *to = dst + r * p->dst_stride + c;
      const wan_unit_t *from = s->rows + r * WAN_ROW_STEPS;
      if (height == WAN_TILE_ROWS && columns == WAN_LANES) {
        V(tile)(from, panel, s->offsets + c, steps, to, p->dst_stride, p->fresh);
        continue;
      }
      V(tile)(from, panel, s->offsets + c, steps, spare, WAN_LANES, 1);
      V(copy_tile)(spare, height, columns, to, p->dst_stride, p->fresh);
    }
  }
}

static void V(multiply_block)(const wan_product_block_t *p, const wan_product_scratch_t *s) {
  V(pack_columns)(p, s);
  for (size_t r = 0; r < p->rows; r += WAN_ROW_BLOCK) {
    size_t rows = wan_smaller(WAN_ROW_BLOCK, p->rows - r);
    V(pack_rows)(p, r, rows, s->rows);
    V(multiply_panels)(p, rows, p->dst + r * p->dst_stride, s);
  }
}

static void V(product_i8)(const wan_product_block_t *whole, const wan_product_scratch_t *s) {
  size_t deepest = V(block_steps) * WAN_PER_STEP;
  for (size_t c = 0; c < whole->columns; c += WAN_COLUMN_BLOCK)
    for (size_t k = 0; k < whole->depth; k += deepest) {
      wan_product_block_t block = *whole;
      block.x += k;
      block.w += c * whole->w_stride + k;
      block.dst += c;
      block.columns = wan_smaller(WAN_COLUMN_BLOCK, whole->columns - c);
      block.depth = wan_smaller(deepest, whole->depth - k);
      block.fresh = k == 0;
      V(multiply_block)(&block, s);
    }
}

#undef WAN_PER_STEP
#undef WAN_STEP
#undef WAN_LOW
#undef WAN_HIGH
#include "tile_end.h"
