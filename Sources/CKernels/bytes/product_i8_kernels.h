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

/// Steps of a block of the depth. Pairs of bytes want panels that stay in the first-level cache, 16 KiB.
enum { V(block_steps) = WAN_LANES > 16 && !WAN_QUADS ? 4096 / WAN_LANES : WAN_ROW_STEPS };

#include "product_i8_pack.h"
#include "product_i8_tiles.h"

/// The part of the result from r and c on, of which a tile may reach past the edges.
static void V(multiply_tile)(const wan_product_i8_t *p, size_t r, size_t c, int fresh, V(tile_t) * tile) {
  const size_t height = wan_smaller(WAN_TILE_ROWS, p->row_count - r), columns = wan_smaller(WAN_LANES, p->columns - c);
  int32_t spare[WAN_TILE_ROWS * WAN_LANES], *to = p->dst + r * p->dst_stride + c;
  V(start_tile)(p, r, height, fresh, tile->start);
  if (height == WAN_TILE_ROWS && columns == WAN_LANES) {
    V(tile)(tile, to, p->dst_stride, !fresh);
    return;
  }
  V(tile)(tile, spare, WAN_LANES, 0);
  V(copy_tile)(spare, height, columns, to, p->dst_stride, fresh);
}

/// At most WAN_ROW_BLOCK rows, where they lie if their bytes are units, by all columns, whose panels are laid out. Each
/// tile fetches one of the rows that are next: those that follow, or the first ones of the next stretch.
static void V(multiply_rows)(const wan_product_i8_t *p, size_t first, size_t rows, int fresh,
                             const wan_product_scratch_t *s, wan_ahead_t *ahead) {
  V(tile_t) tile = {.row_bytes = p->rows_stride, .steps = V(steps)(p->depth)};
  const char *from = (const char *)p->rows + first * p->rows_stride;
  if (!V(rows_are_units)(p, rows)) {
    V(pack_rows)(p, first, rows, s->rows);
    from = (const char *)s->rows;
    tile.row_bytes = WAN_ROW_STEPS * sizeof(wan_unit_t);
  }
  size_t next = first + rows < p->row_count ? first + rows : 0;
  const int8_t *coming = p->rows + (next > 0 ? 0 : p->depth);
  for (size_t c = 0; c < p->columns; c += WAN_LANES) {
    tile.panel = s->panels + c * V(padded_steps)(p->depth);
    for (size_t r = 0; r < rows; r += WAN_TILE_ROWS, next = wan_smaller(next + 1, p->row_count - 1)) {
      tile.rows = from + r * tile.row_bytes;
      tile.next_row = coming + next * p->rows_stride;
      tile.next_dst = p->dst + next * p->dst_stride;
      V(multiply_tile)(p, first + r, c, fresh, &tile);
      wan_fetch(ahead);
    }
  }
}

/// The stretch of weights that comes after a block: the same columns from input k on, or those that come next.
static wan_ahead_t V(ahead)(const wan_product_i8_t *whole, const wan_product_i8_t *block, size_t k) {
  const size_t tiles =
      (block->row_count + WAN_TILE_ROWS - 1) / WAN_TILE_ROWS * ((block->columns + WAN_LANES - 1) / WAN_LANES);
  if (!whole->codes) {
    const int8_t *next = k < whole->depth ? block->weights + block->depth : whole->next_weights;
    return wan_ahead(next, block->weights_stride, block->depth, block->columns, tiles);
  }
  size_t row = k < whole->depth ? block->codes_row : whole->next_codes_row;
  size_t first = k < whole->depth ? whole->codes_first + k : whole->codes_first;
  const char *from = wan_codes_address(whole->codes, row, first);
  const char *to = wan_codes_address(whole->codes, row, first + block->depth);
  return wan_ahead(from, whole->codes->row_bytes, to - from, block->columns, tiles);
}

/// All rows by at most WAN_COLUMN_BLOCK columns and a block's depth, added to dst or, if fresh, put there.
static void V(multiply_block)(const wan_product_i8_t *p, int fresh, wan_ahead_t ahead, const wan_product_scratch_t *s) {
  if (p->codes) V(pack_codes)(p, s);
  else V(pack_columns)(p, s->panels);
  for (size_t r = 0; r < p->row_count; r += WAN_ROW_BLOCK)
    V(multiply_rows)(p, r, wan_smaller(WAN_ROW_BLOCK, p->row_count - r), fresh, s, &ahead);
}

static void V(product_i8)(const wan_product_i8_t *whole, const wan_product_scratch_t *s) {
  const size_t deepest = V(block_steps) * WAN_PER_STEP;
  for (size_t c = 0; c < whole->columns; c += WAN_COLUMN_BLOCK)
    for (size_t k = 0; k < whole->depth; k += deepest) {
      wan_product_i8_t block = *whole;
      block.rows += k;
      if (!whole->codes) block.weights += c * whole->weights_stride + k;
      block.codes_row += c;
      block.codes_first += k;
      block.dst += c;
      block.columns = wan_smaller(WAN_COLUMN_BLOCK, whole->columns - c);
      block.depth = wan_smaller(deepest, whole->depth - k);
      V(multiply_block)(&block, k == 0, V(ahead)(whole, &block, k + deepest), s);
    }
}

#undef WAN_PER_STEP
#undef WAN_STEP
#undef WAN_LOW
#undef WAN_HIGH
#include "tile_end.h"
