// The register tiles: WAN_TILE_ROWS queries by WAN_LANES keys or dimensions; included by attention_kernels.h.
#define WAN_TILE_BEGIN(r) V(sums) left_sum##r = left_start, right_sum##r = right_start;
#define WAN_TILE_ADD(r)                                              \
  factor = a[r * row] - zero;                                        \
  left_sum##r = WAN_MULTIPLY_ADD(left_sum##r, factor, left);         \
  right_sum##r = WAN_MULTIPLY_ADD(right_sum##r, factor, right);

/// Declares and computes left_sum<r> and right_sum<r>, left_start and right_start plus the tile a b over steps.
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

/// What is added to the products of WAN_WIDTH keys from first on.
WAN_INLINE V(sums) V(logits_start)(const V(block_t) * block, size_t first) {
  V(sums) start = {0};
#if WAN_QUADS
  start -= (V(sums))*(const V(vi_any) *)(block->key_offsets + first);
#else
  (void)block, (void)first;
#endif
  return start;
}

/// The logits of WAN_WIDTH keys, but for the query's scale.
WAN_INLINE V(vf) V(logits)(V(sums) sums, V(vf) scales) {
#if WAN_QUADS
  return __builtin_convertvector((V(vi))sums, V(vf)) * scales;
#else
  (void)scales;
  return sums;
#endif
}

#define WAN_STORE_LOGITS(r)                                                                   \
  *(V(vf_any) *)(logits + r * WAN_KEY_BLOCK) = V(logits)(left_sum##r, left_scales);           \
  *(V(vf_any) *)(logits + r * WAN_KEY_BLOCK + WAN_WIDTH) = V(logits)(right_sum##r, right_scales);

/// logits [row][WAN_KEY_BLOCK] = q k^T for one tile of queries and keys, the block's from first on.
static void V(logits_tile)(const V(element) * q, const V(block_t) * block, size_t first, size_t depth, float *logits) {
  const V(element) *k = block->keys + first * depth;
  const V(sums) left_start = V(logits_start)(block, first), right_start = V(logits_start)(block, first + WAN_WIDTH);
  V(vf) left_scales = {0}, right_scales = {0};
  WAN_TILE(q, 1, WAN_TILE_ROWS, k, depth)
#if WAN_QUADS
  left_scales = V(load)(block->key_scales, WAN_F32, first, WAN_WIDTH);
  right_scales = V(load)(block->key_scales, WAN_F32, first + WAN_WIDTH, WAN_WIDTH);
#endif
  WAN_TILE_EACH(WAN_STORE_LOGITS)
}

/// The sums' worth beside those of other blocks.
WAN_INLINE V(vf) V(weighted)(V(sums) sums, float gain, V(vf) scales) {
#if WAN_QUADS
  return __builtin_convertvector((V(vi))sums, V(vf)) * (scales * gain);
#else
  (void)gain, (void)scales;
  return sums;
#endif
}

#define WAN_STORE_VALUES(r)                                                          \
  at = (V(vf_any) *)(to + r * columns);                                              \
  decay = V(splat)(state->decay[r]);                                                 \
  at[0] = V(fma)(at[0], decay, V(weighted)(left_sum##r, state->gain[r], left_scales));    \
  at[1] = V(fma)(at[1], decay, V(weighted)(right_sum##r, state->gain[r], right_scales));

/// to [row][columns] = to * decay + p v for one tile of queries and dimensions, the block's from first on.
static void V(values_tile)(const V(element) * p, const V(block_t) * block, size_t first, size_t steps,
                           const V(softmax_t) * state, float *to, size_t columns) {
  const V(element) *v = block->values + first * (WAN_KEY_BLOCK / WAN_PER_STEP);
  const V(sums) left_start = {0}, right_start = {0};
  V(vf_any) * at;
  V(vf) decay, left_scales = {0}, right_scales = {0};
  WAN_TILE(p, WAN_KEY_BLOCK / WAN_PER_STEP, 1, v, steps)
#if WAN_QUADS
  left_scales = V(load)(block->value_scales, WAN_F32, first, WAN_WIDTH);
  right_scales = V(load)(block->value_scales, WAN_F32, first + WAN_WIDTH, WAN_WIDTH);
#endif
  WAN_TILE_EACH(WAN_STORE_VALUES)
}

#undef WAN_TILE_BEGIN
#undef WAN_TILE_ADD
#undef WAN_TILE
#undef WAN_STORE_LOGITS
#undef WAN_STORE_VALUES
