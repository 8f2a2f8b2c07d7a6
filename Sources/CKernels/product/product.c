// Products of float32 rows with a float32 or bfloat16 matrix, or of bfloat16 rows with a bfloat16 one, laid out while it
// is used.
//
// For every stretch of WAN_STEP_BLOCK steps the matrix is copied into panels [panel][step][lane], small enough to stay in
// the second-level cache; then each meets all rows, WAN_ROW_BLOCK of them before the next panel, in tiles of
// WAN_TILE_ROWS. A step is an input, or a pair of them in bfloat16: a unit of four bytes.
//
// A matrix of codes is decoded a panel at a time, so that its numbers never lie anywhere but in the cache.
//
// variants.h includes product_kernels.h once per instruction set, with WAN_PAIRS for the one that multiplies bfloat16;
// product_pack.h in it lays the panels out, tile.h and tile_end.h frame the register tile. Linears use it, and
// convolutions, once for each point of a kernel.
#define WAN_FILE "product_kernels.h"
#define WAN_WITH_PAIRS

enum { WAN_STEP_BLOCK = 320, WAN_ROW_BLOCK = 24 };

/// The widest set's panel.
enum { WAN_WIDEST_LANES = 32 };
/// The numbers of a panel of codes, before they are laid out: as many bytes in bfloat16, in steps of two.
enum { WAN_DECODED_BYTES = WAN_WIDEST_LANES * WAN_STEP_BLOCK * sizeof(float) };

#include "ahead.h"
#include "scratch.h"
#include "variants.h"

size_t wan_product_columns(size_t columns) { return wan_rounded_up(columns, WAN_WIDEST_LANES); }

size_t wan_product_scratch_bytes(size_t columns, size_t depth) {
  size_t panels = wan_product_columns(columns) * wan_smaller(depth, WAN_STEP_BLOCK) * sizeof(float);
  return WAN_DECODED_BYTES + panels + WAN_ALIGNMENT;
}

void wan_product(const wan_product_t *product, void *scratch) {
  float *panels = (float *)((char *)wan_aligned(scratch) + WAN_DECODED_BYTES);
  WAN_DISPATCH_PAIRS(product->rows_type, product, product, panels);
}
