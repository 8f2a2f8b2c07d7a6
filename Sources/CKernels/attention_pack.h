// Packing of queries, keys and values; included once per instruction set by attention_kernels.h.

/// One row of head_dim numbers spread over steps: step i goes to to[i * distance].
WAN_INLINE void V(spread_row)(const void *from, wan_dtype_t type, size_t index, size_t head_dim, V(element) * to,
                              size_t distance) {
#if WAN_PAIRS
  const uint16_t *row = (const uint16_t *)from + index;
  (void)type;
  for (size_t i = 0; i < head_dim; i += 2) {
    uint32_t second = i + 1 < head_dim ? row[i + 1] : 0;
    to[i / 2 * distance] = row[i] | second << 16;
  }
#else
  WAN_EACH(i, n, head_dim, {
    V(vf) x = V(load)(from, type, index + i, n);
    for (size_t j = 0; j < n; ++j) to[(i + j) * distance] = x[j];
  });
#endif
}

/// Fills rows that are missing from a tile or panel with zeros.
WAN_INLINE void V(spread_zeros)(size_t head_dim, V(element) * to, size_t distance) {
  for (size_t i = 0; i < V(steps)(head_dim); ++i) to[i * distance] = 0;
}

static void V(pack_queries)(const wan_attention_head_t *head, size_t first, size_t rows, V(element) * q) {
  size_t depth = V(steps)(head->head_dim);
  for (size_t r = 0; r < wan_rounded_up(rows, WAN_TILE_ROWS); ++r) {
    V(element) *to = q + r / WAN_TILE_ROWS * WAN_TILE_ROWS * depth + r % WAN_TILE_ROWS;
    if (r < rows) V(spread_row)(head->q, head->type, (first + r) * head->q_stride, head->head_dim, to, WAN_TILE_ROWS);
    else V(spread_zeros)(head->head_dim, to, WAN_TILE_ROWS);
  }
}

static void V(pack_keys)(const wan_attention_head_t *head, size_t first, size_t keys, V(element) * packed) {
  size_t depth = V(steps)(head->head_dim);
  for (size_t k = 0; k < wan_rounded_up(keys, WAN_LANES); ++k) {
    V(element) *to = packed + k / WAN_LANES * WAN_LANES * depth + k % WAN_LANES;
    if (k < keys) V(spread_row)(head->k, head->type, (first + k) * head->k_stride, head->head_dim, to, WAN_LANES);
    else V(spread_zeros)(head->head_dim, to, WAN_LANES);
  }
}

static void V(pack_values)(const wan_attention_head_t *head, size_t first, size_t keys, V(element) * packed) {
  size_t panel = WAN_KEY_BLOCK / WAN_PER_STEP * WAN_LANES;
#if WAN_PAIRS
  const uint16_t *v = head->v;
  for (size_t k = 0; k < keys; k += 2)
    for (size_t c = 0; c < V(columns)(head->head_dim); ++c) {
      size_t at = (first + k) * head->v_stride + c;
      uint32_t one = c < head->head_dim ? v[at] : 0;
      uint32_t two = c < head->head_dim && k + 1 < keys ? v[at + head->v_stride] : 0;
      packed[c / WAN_LANES * panel + k / 2 * WAN_LANES + c % WAN_LANES] = one | two << 16;
    }
#else
  for (size_t k = 0; k < keys; ++k)
    for (size_t c = 0; c < V(columns)(head->head_dim); c += WAN_WIDTH) {
      V(vf) x = {0};
      if (c < head->head_dim)
        x = V(load)(head->v, head->type, (first + k) * head->v_stride + c, head->head_dim - c);
      V(store)(packed, WAN_F32, c / WAN_LANES * panel + k * WAN_LANES + c % WAN_LANES, WAN_WIDTH, x);
    }
#endif
}

static void V(attention_pack)(const wan_attention_head_t *head, void *memory) {
  V(element) *packed = wan_aligned(memory);
  for (size_t k = 0; k < head->keys; k += WAN_KEY_BLOCK, packed += V(block_elements)(head->head_dim)) {
    size_t keys = wan_smaller(WAN_KEY_BLOCK, head->keys - k);
    V(pack_keys)(head, k, keys, packed);
    V(pack_values)(head, k, keys, packed + V(key_elements)(head->head_dim));
  }
}
