// How a product of signed bytes is cut up, shared by its variants.
//
// A step is what one instruction takes of the depth: a pair of bytes widened to 16 bits, or four bytes (with VNNI); it
// is a unit of 32 bits. Rows are laid out [row][WAN_ROW_STEPS], columns in panels [panel][step][lane], both zero past
// their end.
#ifndef WAN_PRODUCT_I8_H
#define WAN_PRODUCT_I8_H

#include "scratch.h"
#include "wan_kernels.h"

enum { WAN_ROW_STEPS = 256, WAN_ROW_BLOCK = 96, WAN_COLUMN_BLOCK = 256 };

typedef int32_t wan_unit_t __attribute__((may_alias));
typedef int32_t wan_units_t __attribute__((vector_size(16)));
typedef int32_t wan_units_any_t __attribute__((vector_size(16), aligned(4), may_alias));

/// One block of a product: rows by columns by at most a block's depth, added to dst or, if fresh, put there.
typedef struct {
  const int8_t *x, *w;
  size_t x_stride, w_stride;
  int32_t *dst;
  size_t dst_stride, rows, columns, depth;
  int fresh;
} wan_product_block_t;

/// The parts of the caller's scratch.
typedef struct {
  wan_unit_t *rows;    // [WAN_ROW_BLOCK][WAN_ROW_STEPS]
  wan_unit_t *panels;  // [WAN_COLUMN_BLOCK / lanes][step][lane]
  wan_unit_t *offsets; // [WAN_COLUMN_BLOCK], what unsigned rows add to each column's sums
} wan_product_scratch_t;

#endif
