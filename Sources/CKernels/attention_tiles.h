// The register tiles: WAN_TILE_ROWS queries by WAN_LANES keys or dimensions; included by attention_kernels.h.
#define WAN_TILE_BEGIN(r) V(vf) left_sum##r = {0}, right_sum##r = {0};
#define WAN_TILE_ADD(r)                                              \
  factor = a[r * row] - zero;                                        \
  left_sum##r = WAN_MULTIPLY_ADD(left_sum##r, factor, left);         \
  right_sum##r = WAN_MULTIPLY_ADD(right_sum##r, factor, right);

/// Declares and computes left_sum<r> and right_sum<r>, the tile a b over steps: two vectors for each row.
///
/// Row r, step i of a is a[r * row + i * step]; b is [step][WAN_LANES].
#define WAN_TILE(a_start, row_distance, step_distance, b_start, steps)                                         \
  const V(operand) zero = {0};                                                                                 \
  const V(element) *a = a_start, *b = b_start;                                                                 \
  const size_t row = row_distance;                                                                             \
  WAN_TILE_EACH(WAN_TILE_BEGIN)                                                                                \
  _Pragma("clang loop unroll_count(4)")                                                                        \
  for (size_t i = 0; i < steps; ++i, a += step_distance, b += WAN_LANES) {                                     \
    V(operand) left = *(const V(operand_any) *)b, right = *(const V(operand_any) *)(b + WAN_WIDTH), factor;    \
    WAN_TILE_EACH(WAN_TILE_ADD)                                                                                \
  }

#define WAN_STORE_LOGITS(r)                                                          \
  *(V(vf_any) *)(logits + r * WAN_KEY_BLOCK) = left_sum##r;                          \
  *(V(vf_any) *)(logits + r * WAN_KEY_BLOCK + WAN_WIDTH) = right_sum##r;

/// logits [row][WAN_KEY_BLOCK] = q k^T for one tile.
static void V(logits_tile)(const V(element) * q, const V(element) * k, size_t depth, float *logits) {
  WAN_TILE(q, 1, WAN_TILE_ROWS, k, depth)
  WAN_TILE_EACH(WAN_STORE_LOGITS)
}

#define WAN_STORE_VALUES(r)                                                          \
  at = (V(vf_any) *)(to + r * columns);                                              \
  decay = V(splat)(state[r].decay);                                                  \
  at[0] = V(fma)(at[0], decay, left_sum##r);                                         \
  at[1] = V(fma)(at[1], decay, right_sum##r);

/// to [row][columns] = to * decay + p v for one tile.
static void V(values_tile)(const V(element) * p, const V(element) * v, size_t keys, const wan_softmax_t *state,
                           float *to, size_t columns) {
  V(vf_any) * at;
  V(vf) decay;
  WAN_TILE(p, WAN_KEY_BLOCK / WAN_PER_STEP, 1, v, keys)
  WAN_TILE_EACH(WAN_STORE_VALUES)
}

#undef WAN_TILE_BEGIN
#undef WAN_TILE_ADD
#undef WAN_TILE
#undef WAN_STORE_LOGITS
#undef WAN_STORE_VALUES
