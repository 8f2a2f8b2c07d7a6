// The register tiles of a product of signed bytes: WAN_TILE_ROWS rows by WAN_LANES columns, one variable per sum.

/// What one tile is computed from, and a row and one of the result that it fetches for tiles to come.
typedef struct {
  const char *rows; // [row][step], row_bytes apart
  size_t row_bytes;
  const wan_unit_t *panel; // [step][lane]
  size_t steps;
  int32_t start[WAN_TILE_ROWS]; // what is added to each row's sums, once
  const int8_t *next_row;
  const int32_t *next_dst;
} V(tile_t);

/// Less what the raised columns add to the whole depth's sums.
WAN_INLINE void V(start_tile)(const wan_product_i8_t *p, size_t first, size_t rows, int fresh, int32_t *start) {
  for (size_t r = 0; r < WAN_TILE_ROWS; ++r) start[r] = 0;
#if WAN_QUADS
  for (size_t r = 0; fresh && r < rows; ++r) start[r] = (int32_t)(0u - ((uint32_t)p->row_sums[first + r] << 7));
#else
  (void)p, (void)first, (void)rows, (void)fresh;
#endif
}

#define WAN_TILE_BEGIN(r)                                   \
  const char *row##r = tile->rows + r * row_bytes;          \
  V(vu) left_sum##r = {0}, right_sum##r = {0};              \
  if (!WAN_QUADS) __builtin_prefetch(to + r * stride, 1);
#define WAN_TILE_ADD(r)                                                             \
  factor = (uint32_t)*(const wan_unit_any_t *)(row##r + i * sizeof(wan_unit_t)) - zero;   \
  left_sum##r = WAN_STEP(left_sum##r, factor, left);                                \
  right_sum##r = WAN_STEP(right_sum##r, factor, right);
#define WAN_TILE_PUT(r)                                                                  \
  *(V(vu_any) *)(to + r * stride) = left_sum##r + (uint32_t)tile->start[r];              \
  *(V(vu_any) *)(to + r * stride + WAN_WIDTH) = right_sum##r + (uint32_t)tile->start[r];
#define WAN_TILE_SUM(r)                                           \
  *(V(vu_any) *)(to + r * stride) += left_sum##r;                 \
  *(V(vu_any) *)(to + r * stride + WAN_WIDTH) += right_sum##r;

/// to [row][stride] = start + rows times panel; or, if it adds, += the product alone.
///
/// A function of its own, called, as in product_kernels.h.
static __attribute__((noinline)) void V(tile)(const V(tile_t) * tile, int32_t *to, size_t stride, int adds) {
  const V(vu) zero = {0};
  const wan_unit_t *b = tile->panel;
  const int8_t *next_row = tile->next_row;
  const int32_t *next_dst = tile->next_dst;
  // Rows that are laid out lie in known places, which saves addresses.
  const size_t row_bytes = WAN_QUADS ? tile->row_bytes : WAN_ROW_STEPS * sizeof(wan_unit_t);
  WAN_TILE_EACH(WAN_TILE_BEGIN)
#pragma clang loop unroll_count(WAN_QUADS ? 4 : 1)
  for (size_t i = 0; i < tile->steps; ++i, b += WAN_LANES) {
    V(vu) left = *(const V(vu_any) *)b, right = *(const V(vu_any) *)(b + WAN_WIDTH), factor;
    if (WAN_QUADS && i % 4 == 0) {
      __builtin_prefetch(next_row + i * WAN_PER_STEP, 0, 2);
      __builtin_prefetch(next_dst + i, 0, 2);
    }
    WAN_TILE_EACH(WAN_TILE_ADD)
  }
  if (adds) {
    WAN_TILE_EACH(WAN_TILE_SUM)
  } else {
    WAN_TILE_EACH(WAN_TILE_PUT)
  }
}

/// The part of a tile that lies within the result.
static void V(copy_tile)(const int32_t *tile, size_t rows, size_t columns, int32_t *to, size_t stride, int fresh) {
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < columns; ++c)
      to[r * stride + c] = (int32_t)((uint32_t)tile[r * WAN_LANES + c] + (fresh ? 0 : (uint32_t)to[r * stride + c]));
}

#undef WAN_TILE_BEGIN
#undef WAN_TILE_ADD
#undef WAN_TILE_PUT
#undef WAN_TILE_SUM
