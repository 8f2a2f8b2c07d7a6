// The register tiles of a product of signed bytes: WAN_TILE_ROWS rows by WAN_LANES columns, one variable per sum.
#define WAN_TILE_BEGIN(r) V(vu) left_sum##r = left_start, right_sum##r = right_start;
#define WAN_TILE_ADD(r)                                           \
  factor = (uint32_t)a[r * WAN_ROW_STEPS] - zero;                 \
  left_sum##r = WAN_STEP(left_sum##r, factor, left);              \
  right_sum##r = WAN_STEP(right_sum##r, factor, right);
#define WAN_TILE_PUT(r)                                           \
  *(V(vu_any) *)(to + r * stride) = left_sum##r;                  \
  *(V(vu_any) *)(to + r * stride + WAN_WIDTH) = right_sum##r;
#define WAN_TILE_SUM(r)                                           \
  *(V(vu_any) *)(to + r * stride) += left_sum##r;                 \
  *(V(vu_any) *)(to + r * stride + WAN_WIDTH) += right_sum##r;

/// to [row][stride] = (or, unless fresh, +=) rows [row][WAN_ROW_STEPS] times panel [step][WAN_LANES], less the offsets.
static void V(tile)(const wan_unit_t *rows, const wan_unit_t *panel, const wan_unit_t *offsets, size_t steps,
                    int32_t *to, size_t stride, int fresh) {
  const V(vu) zero = {0};
#if WAN_QUADS
  V(vu) left_start = zero - *(const V(vu_any) *)offsets, right_start = zero - *(const V(vu_any) *)(offsets + WAN_WIDTH);
#else
  V(vu) left_start = zero, right_start = zero;
  (void)offsets;
#endif
  WAN_TILE_EACH(WAN_TILE_BEGIN)
  const wan_unit_t *a = rows, *b = panel;
  // The sums are added to memory that other tiles have pushed out of the nearest cache.
  for (size_t r = 0; r < WAN_TILE_ROWS; ++r) __builtin_prefetch(to + r * stride, 1);
  for (size_t i = 0; i < steps; ++i, ++a, b += WAN_LANES) {
    V(vu) left = *(const V(vu_any) *)b, right = *(const V(vu_any) *)(b + WAN_WIDTH), factor;
    WAN_TILE_EACH(WAN_TILE_ADD)
  }
  if (fresh) {
    WAN_TILE_EACH(WAN_TILE_PUT)
  } else {
    WAN_TILE_EACH(WAN_TILE_SUM)
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
