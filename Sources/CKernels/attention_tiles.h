// The register tiles: WAN_TILE_ROWS queries by WAN_LANES keys or dimensions; included by attention_kernels.h.

/// sums = a b over steps. Row r, step i of a is a[r * row + i * step]; b is [step][WAN_LANES].
WAN_INLINE void V(tile)(const V(element) * a, size_t row, size_t step, const V(element) * b, size_t steps,
                        V(vf) sums[WAN_TILE_ROWS][WAN_TILE_VECTORS]) {
#pragma clang loop unroll(full)
  for (int r = 0; r < WAN_TILE_ROWS; ++r)
#pragma clang loop unroll(full)
    for (int v = 0; v < WAN_TILE_VECTORS; ++v) sums[r][v] = (V(vf)){0};
#pragma clang loop unroll_count(2)
  for (size_t i = 0; i < steps; ++i, a += step, b += WAN_LANES) {
    V(operand) right[WAN_TILE_VECTORS];
#pragma clang loop unroll(full)
    for (int v = 0; v < WAN_TILE_VECTORS; ++v) right[v] = *(const V(operand_any) *)(b + v * WAN_WIDTH);
#pragma clang loop unroll(full)
    for (int r = 0; r < WAN_TILE_ROWS; ++r) {
      V(operand) left = a[r * row] - (V(operand)){0};
#pragma clang loop unroll(full)
      for (int v = 0; v < WAN_TILE_VECTORS; ++v) sums[r][v] = V(multiply_add)(sums[r][v], left, right[v]);
    }
  }
}

/// logits [row][WAN_KEY_BLOCK] = q k^T for one tile.
static void V(logits_tile)(const V(element) * q, const V(element) * k, size_t steps, float *logits) {
  V(vf) sums[WAN_TILE_ROWS][WAN_TILE_VECTORS];
  V(tile)(q, 1, WAN_TILE_ROWS, k, steps, sums);
#pragma clang loop unroll(full)
  for (int r = 0; r < WAN_TILE_ROWS; ++r)
#pragma clang loop unroll(full)
    for (int v = 0; v < WAN_TILE_VECTORS; ++v)
      *(V(vf_any) *)(logits + r * WAN_KEY_BLOCK + v * WAN_WIDTH) = sums[r][v];
}

/// to [row][columns] = to * decay + p v for one tile.
static void V(values_tile)(const V(element) * p, const V(element) * v, size_t steps, const wan_softmax_t *state,
                           float *to, size_t columns) {
  V(vf) sums[WAN_TILE_ROWS][WAN_TILE_VECTORS];
  V(tile)(p, WAN_KEY_BLOCK / WAN_PER_STEP, 1, v, steps, sums);
#pragma clang loop unroll(full)
  for (int r = 0; r < WAN_TILE_ROWS; ++r)
#pragma clang loop unroll(full)
    for (int c = 0; c < WAN_TILE_VECTORS; ++c) {
      V(vf_any) *at = (V(vf_any) *)(to + r * columns + c * WAN_WIDTH);
      *at = V(fma)(*at, V(splat)(state[r].decay), sums[r][c]);
    }
}
