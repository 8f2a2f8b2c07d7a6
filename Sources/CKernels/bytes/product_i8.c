// Products of rows of bytes with a matrix of bytes, exact in 32 bits; int8 linears use it.
//
// The instruction (vpdpbusd) takes unsigned bytes on one side: columns are raised by 128 for it, and what that adds, 128
// times the sum of a row's bytes, is taken off again. Sets without it multiply pairs of 16-bit numbers.
//
// variants.h includes product_i8_kernels.h once per instruction set, with WAN_QUADS for the one that takes four bytes;
// product_i8_pack.h in it lays rows and columns out, product_i8_tiles.h has the register tile, framed by tile.h and
// tile_end.h. product_i8.h says what they share.
#define WAN_FILE "product_i8_kernels.h"
#define WAN_WITH_QUADS
#ifndef WAN_DOT_PAIRS
#define WAN_DOT_PAIRS(a, b) _mm512_madd_epi16((__m512i)(a), (__m512i)(b))
#endif
#include "variants.h"

/// The widest set's panel.
enum { WAN_WIDEST_LANES = 32 };

size_t wan_product_i8_scratch_bytes(void) {
  return WAN_ALIGNMENT + (WAN_ROW_BLOCK + WAN_COLUMN_BLOCK + WAN_WIDEST_LANES) * WAN_ROW_STEPS * sizeof(wan_unit_t);
}

void wan_product_i8(const wan_product_i8_t *p, void *scratch) {
  if (p->depth == 0)
    for (size_t r = 0; r < p->row_count; ++r) memset(p->dst + r * p->dst_stride, 0, p->columns * sizeof *p->dst);
  wan_product_scratch_t parts;
  parts.rows = wan_aligned(scratch);
  parts.panels = parts.rows + WAN_ROW_BLOCK * WAN_ROW_STEPS;
  parts.bytes = (int8_t *)(parts.panels + WAN_COLUMN_BLOCK * WAN_ROW_STEPS);
  WAN_DISPATCH_QUADS(1, product_i8, p, &parts)
  WAN_DISPATCH(product_i8, p, &parts);
}
