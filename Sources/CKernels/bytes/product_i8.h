// How a product of signed bytes is cut up, shared by its variants.
//
// A step is what one instruction takes of the depth: a pair of bytes widened to 16 bits, or four bytes (with VNNI); it
// is a unit of 32 bits. Columns are laid out in panels [panel][step][lane], rows where it must be as [row][WAN_ROW_STEPS],
// both zero past their end.
#ifndef WAN_PRODUCT_I8_H
#define WAN_PRODUCT_I8_H

#include "ahead.h"
#include "scratch.h"
#include "wan_kernels.h"

enum { WAN_ROW_STEPS = 256, WAN_ROW_BLOCK = 24, WAN_COLUMN_BLOCK = 256 };

typedef int32_t wan_unit_t __attribute__((may_alias));
typedef int32_t wan_unit_any_t __attribute__((aligned(1), may_alias));
typedef int32_t wan_units_t __attribute__((vector_size(16)));
typedef int32_t wan_units_any_t __attribute__((vector_size(16), aligned(4), may_alias));

/// The parts of the caller's scratch.
typedef struct {
  wan_unit_t *rows;   // [WAN_ROW_BLOCK][WAN_ROW_STEPS]
  wan_unit_t *panels; // [WAN_COLUMN_BLOCK / lanes][step][lane]
  int8_t *bytes;      // [lanes][WAN_ROW_STEPS * 4], of a panel that is stored in codes
} wan_product_scratch_t;

#endif
