// Products for one instruction set. With WAN_PAIRS, rows are bfloat16 and an instruction takes pairs of them (vdpbf16ps).
//
// Twelve rows would need more addresses than there are registers for.
#define WAN_TILE_ROWS 6
#include "tile.h"

#if WAN_PAIRS
#define WAN_PER_STEP 2
#define WAN_MULTIPLY_ADD WAN_DOT_BF16
typedef uint16_t V(number);
typedef V(vu) V(operand);
typedef uint32_t V(unit_any) __attribute__((aligned(2), may_alias));
typedef V(vf) V(units_any) __attribute__((aligned(2), may_alias));
#else
#define WAN_PER_STEP 1
#define WAN_MULTIPLY_ADD(sum, a, b) V(fma)(a, b, sum)
typedef float V(number);
typedef V(vf) V(operand);
typedef float V(unit_any);
#endif
typedef V(operand) V(operand_any) __attribute__((aligned(4), may_alias));

WAN_INLINE size_t V(steps)(size_t depth) { return (depth + WAN_PER_STEP - 1) / WAN_PER_STEP; }

#include "product_pack.h"

#define WAN_TILE_BEGIN(r)                       \
  const V(number) *row##r = rows[r];            \
  V(vf) left_sum##r = {0}, right_sum##r = {0};  \
  if (fetches_own) __builtin_prefetch(dst + r * stride, 1);
#define WAN_TILE_MULTIPLY(r)                                  \
  left_sum##r = WAN_MULTIPLY_ADD(left_sum##r, factor, left);  \
  right_sum##r = WAN_MULTIPLY_ADD(right_sum##r, factor, right);
#define WAN_TILE_ADD(r)                                                        \
  factor = *(const V(unit_any) *)(row##r + i * WAN_PER_STEP) - zero;           \
  WAN_TILE_MULTIPLY(r)
#define WAN_TILE_ADD_LAST(r)                                                   \
  factor = row##r[depth - 1] - zero;                                           \
  WAN_TILE_MULTIPLY(r)
#define WAN_TILE_STORE(r)                                                   \
  if (r < live) {                                                           \
    at = (V(vf_any) *)(dst + r * stride);                                   \
    at[0] = adds ? at[0] + left_sum##r : left_sum##r;                       \
    at[1] = adds ? at[1] + right_sum##r : right_sum##r;                     \
  }

/// Where there are sixteen registers, compilers that meet a fetch among the products keep a sum in memory.
enum { V(fetches) = WAN_WIDTH == 16 };

/// What the tiles of some rows and a panel share.
typedef struct {
  const float *panel;
  size_t depth, stride;
  int adds;
  int is_narrow; // the matrix has too few panels for tiles to fetch all rows that are next
} V(panel);

/// A row and one of the destination that are not needed yet: a tile fetches them while it is computed. Fetching past
/// their ends does no harm.
typedef struct {
  const V(number) *row;
  const float *dst;
} V(coming);

/// dst[r][lane] (+)= rows[r] . panel, for one tile.
///
/// A function of its own, called: in line, the loops around it take registers, and a tile begins a percent later.
static __attribute__((noinline)) void V(product_tile)(const V(number) *const *rows, size_t live, const V(panel) *panel,
                                                      float *dst, V(coming) coming) {
  const V(operand) zero = {0};
  V(operand) left, right, factor;
  V(vf_any) * at;
  const V(operand_any) *lanes = (const V(operand_any) *)panel->panel;
  const size_t depth = panel->depth, stride = panel->stride;
  const int adds = panel->adds, fetches_own = !V(fetches) || panel->is_narrow;
  WAN_TILE_EACH(WAN_TILE_BEGIN)
#pragma clang loop unroll_count(4)
  for (size_t i = 0; i < depth / WAN_PER_STEP; ++i, lanes += 2) {
    left = lanes[0], right = lanes[1];
    if (V(fetches) && i % 4 == 0) {
      __builtin_prefetch(coming.row + i * WAN_PER_STEP, 0, 2);
      __builtin_prefetch(coming.dst + i, 0, 2);
    }
    WAN_TILE_EACH(WAN_TILE_ADD)
  }
  // The last number of a row has no partner, and what lies behind it is not ours to read.
  if (depth % WAN_PER_STEP != 0) {
    left = lanes[0], right = lanes[1];
    WAN_TILE_EACH(WAN_TILE_ADD_LAST)
  }
  WAN_TILE_EACH(WAN_TILE_STORE)
}
#undef WAN_TILE_BEGIN
#undef WAN_TILE_MULTIPLY
#undef WAN_TILE_ADD
#undef WAN_TILE_ADD_LAST
#undef WAN_TILE_STORE

enum { V(depth_block) = WAN_STEP_BLOCK * WAN_PER_STEP };

/// As ahead, of codes.
static wan_ahead_t V(codes_ahead)(const wan_product_t *p, size_t k, size_t tiles) {
  const wan_codes_block_t block = wan_codes_block(p->codes->coding);
  const int is_next = k >= p->depth;
  if (is_next) k = 0;
  const char *from = wan_codes_address(p->codes, is_next ? p->next_codes_row : p->codes_row, k);
  const char *to = wan_codes_address(p->codes, is_next ? p->next_codes_row : p->codes_row,
                                     wan_smaller(k + V(depth_block) + block.numbers - 1, p->depth));
  return wan_ahead(from, p->codes->row_bytes, to - from, p->columns, tiles);
}

/// The stretch of the matrix from input k on, or the first one of the matrix that comes next.
static wan_ahead_t V(ahead)(const wan_product_t *p, size_t k) {
  size_t tiles = (p->row_count + WAN_TILE_ROWS - 1) / WAN_TILE_ROWS * ((p->columns + WAN_LANES - 1) / WAN_LANES);
  if (p->codes) return V(codes_ahead)(p, k, tiles);
  size_t number = p->weights_type == WAN_BF16 ? sizeof(uint16_t) : sizeof(float);
  const char *weights = k < p->depth ? p->weights : p->next_weights;
  if (k >= p->depth) k = 0;
  size_t bytes = wan_smaller(V(depth_block), p->depth - k) * number;
  return wan_ahead(weights ? weights + k * number : NULL, p->weights_stride * number, bytes, p->columns, tiles);
}

/// At most WAN_ROW_BLOCK rows against all panels of one stretch of inputs. Each tile fetches some lines of the next
/// stretch, and one of the rows that are next: those that follow, or the first ones of the next stretch.
static void V(product_rows)(const wan_product_t *p, size_t first, size_t count, size_t k, V(panel) panel,
                            wan_ahead_t *ahead) {
  const V(number) *rows[WAN_ROW_BLOCK];
  for (size_t i = 0; i < WAN_ROW_BLOCK; ++i)
    rows[i] = (const V(number) *)p->rows[first + (i < count ? i : 0)] + p->row_offset + k;
  const size_t last = p->row_count - 1;
  size_t next = first + count > last ? 0 : first + count;
  const size_t offset = p->row_offset + (next > 0 ? k : k + panel.depth < p->depth ? k + panel.depth : 0);
  for (size_t column = 0; column < p->columns; column += WAN_LANES, panel.panel += WAN_LANES * V(steps)(panel.depth))
    for (size_t r = 0; r < count; r += WAN_TILE_ROWS) {
      V(coming) coming = {(const V(number) *)p->rows[next] + offset, p->dst + next * p->dst_stride};
      V(product_tile)(rows + r, count - r, &panel, p->dst + (first + r) * p->dst_stride + column, coming);
      next = wan_smaller(next + 1, last);
      wan_fetch(ahead);
    }
}

/// Lays out all columns of a stretch of inputs.
static void V(pack_panels)(const wan_product_t *p, size_t k, size_t depth, float *panels) {
  for (size_t column = 0; column < p->columns; column += WAN_LANES) {
    float *panel = panels + column * V(steps)(depth);
    if (p->codes) V(pack_codes)(p, column, k, depth, panel, (char *)panels - WAN_DECODED_BYTES);
    else V(pack_panel)(p, column, k, depth, panel);
  }
}

static void V(product)(const wan_product_t *p, float *panels) {
  for (size_t k = 0; k < p->depth; k += V(depth_block)) {
    size_t depth = wan_smaller(V(depth_block), p->depth - k);
    wan_ahead_t ahead = V(ahead)(p, k + depth);
    V(pack_panels)(p, k, depth, panels);
    V(panel) panel = {.panel = panels, .depth = depth, .stride = p->dst_stride, .adds = p->adds || k > 0};
    panel.is_narrow = p->columns < WAN_TILE_ROWS * WAN_LANES;
    for (size_t r = 0; r < p->row_count; r += WAN_ROW_BLOCK)
      V(product_rows)(p, r, wan_smaller(WAN_ROW_BLOCK, p->row_count - r), k, panel, &ahead);
  }
}
#undef WAN_PER_STEP
#undef WAN_MULTIPLY_ADD
#include "tile_end.h"
