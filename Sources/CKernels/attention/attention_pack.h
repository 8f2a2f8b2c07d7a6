// Packing of queries, keys and values as numbers; included once per instruction set by attention_kernels.h.
#include "transpose.h"

#if WAN_PAIRS
typedef V(vf) V(steps_any) __attribute__((aligned(2), may_alias));
#endif

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

static void V(pack_queries)(const wan_attention_head_t *head, size_t first, size_t rows, V(element) * q,
                            V(softmax_t) * state) {
  size_t depth = V(steps)(head->head_dim);
  (void)state;
  for (size_t r = 0; r < wan_rounded_up(rows, WAN_TILE_ROWS); ++r) {
    V(element) *to = q + r / WAN_TILE_ROWS * WAN_TILE_ROWS * depth + r % WAN_TILE_ROWS;
    if (r < rows) V(spread_row)(head->q, head->type, (first + r) * head->q_stride, head->head_dim, to, WAN_TILE_ROWS);
    else V(spread_zeros)(head->head_dim, to, WAN_TILE_ROWS);
  }
}

/// WAN_WIDTH keys of as many dimensions as make whole vectors.
WAN_INLINE void V(pack_square_keys)(const wan_attention_head_t *head, size_t first, V(element) * to) {
  for (size_t i = 0; i < head->head_dim; i += WAN_WIDTH * WAN_PER_STEP, to += WAN_WIDTH * WAN_LANES) {
    V(vf) x[WAN_WIDTH];
#pragma clang loop unroll(full)
    for (size_t n = 0; n < WAN_WIDTH; ++n) {
      size_t index = (first + n) * head->k_stride + i;
#if WAN_PAIRS
      x[n] = *(const V(steps_any) *)((const uint16_t *)head->k + index);
#else
      x[n] = V(load)(head->k, head->type, index, WAN_WIDTH);
#endif
    }
    V(transpose)(x, (float *)to);
  }
}

static void V(pack_keys)(const wan_attention_head_t *head, size_t first, size_t keys, V(element) * packed) {
  const size_t depth = V(steps)(head->head_dim), padded = wan_rounded_up(keys, WAN_LANES);
  const int square = head->head_dim % (WAN_WIDTH * WAN_PER_STEP) == 0;
  for (size_t k = 0, count; k < padded; k += count) {
    V(element) *to = packed + k / WAN_LANES * WAN_LANES * depth + k % WAN_LANES;
    count = square && k % WAN_WIDTH == 0 && k + WAN_WIDTH <= keys ? WAN_WIDTH : 1;
    if (count == WAN_WIDTH) V(pack_square_keys)(head, first + k, to);
    else if (k < keys) V(spread_row)(head->k, head->type, (first + k) * head->k_stride, head->head_dim, to, WAN_LANES);
    else V(spread_zeros)(head->head_dim, to, WAN_LANES);
  }
}

/// WAN_WIDTH dimensions of one step of values, of which count are there: a key's, or those of two keys in pairs.
WAN_INLINE V(operand) V(load_values)(const wan_attention_head_t *head, size_t index, size_t count, int has_partner) {
#if WAN_PAIRS
  const uint16_t *v = (const uint16_t *)head->v + index;
  V(vh) one = {0}, two = {0};
  memcpy(&one, v, wan_smaller(count, WAN_WIDTH) * sizeof *v);
  if (has_partner) memcpy(&two, v + head->v_stride, wan_smaller(count, WAN_WIDTH) * sizeof *v);
  return __builtin_convertvector(one, V(vu)) | __builtin_convertvector(two, V(vu)) << 16;
#else
  (void)has_partner;
  return V(load)(head->v, head->type, index, count);
#endif
}

static void V(pack_values)(const wan_attention_head_t *head, size_t first, size_t keys, V(element) * packed) {
  const size_t panel = WAN_KEY_BLOCK / WAN_PER_STEP * WAN_LANES;
  for (size_t k = 0; k < keys; k += WAN_PER_STEP)
    for (size_t c = 0; c < V(columns)(head->head_dim); c += WAN_WIDTH) {
      V(operand) x = {0};
      size_t index = (first + k) * head->v_stride + c;
      if (c + WAN_WIDTH <= head->head_dim) x = V(load_values)(head, index, WAN_WIDTH, k + 1 < keys);
      else if (c < head->head_dim) x = V(load_values)(head, index, head->head_dim - c, k + 1 < keys);
      *(V(operand_any) *)(packed + c / WAN_LANES * panel + k / WAN_PER_STEP * WAN_LANES + c % WAN_LANES) = x;
    }
}

static void V(attention_pack)(const wan_attention_head_t *head, void *memory) {
  V(element) *packed = wan_aligned(memory);
  for (size_t k = 0; k < head->keys; k += WAN_KEY_BLOCK) {
    size_t keys = wan_smaller(WAN_KEY_BLOCK, head->keys - k);
    V(block_t) block = V(block)(packed, head->head_dim);
    V(pack_keys)(head, k, keys, block.keys);
    V(pack_values)(head, k, keys, block.values);
    packed = block.end;
  }
}
