// Packing of queries, keys and values as bytes; included by attention_kernels.h with WAN_QUADS.
//
// The instruction's first factors are unsigned. Queries are, raised by 128; what that adds to a logit, 128 times the sum
// of the key's bytes, is taken off it again. Keys lose their mean first: it moves all logits of a query alike, which
// softmax does not see, and the bytes are finer without it.
#include "quantize.h"

/// One row of up to WAN_BYTES_DIM numbers.
typedef struct {
  int8_t bytes[WAN_BYTES_DIM]; // zero past the end
  float scale;
  int32_t sum;
} V(row_t);

WAN_INLINE void V(quantize)(const void *x, wan_dtype_t type, size_t index, size_t count, V(row_t) * row) {
  memset(row->bytes, 0, V(steps)(count) * WAN_PER_STEP);
  row->sum = 0;
  V(quantize_row)(x, type, index, count, row->bytes, &row->scale, &row->sum);
}

/// Step i of a row goes to to[i * distance].
WAN_INLINE void V(spread_bytes)(const int8_t *bytes, size_t steps, V(element) raised, V(element) * to, size_t distance) {
  const V(element) *units = (const V(element) *)bytes;
  for (size_t i = 0; i < steps; ++i) to[i * distance] = units[i] ^ raised;
}

static void V(pack_queries)(const wan_attention_head_t *head, size_t first, size_t rows, V(element) * q,
                            V(softmax_t) * state) {
  const size_t steps = V(steps)(head->head_dim);
  V(row_t) row = {{0}, 0, 0};
  for (size_t r = 0; r < wan_rounded_up(rows, WAN_TILE_ROWS); ++r) {
    if (r < rows) V(quantize)(head->q, head->type, (first + r) * head->q_stride, head->head_dim, &row);
    // A query of zeros has no scale, and any will do.
    state[r / WAN_TILE_ROWS].scale[r % WAN_TILE_ROWS] *= row.scale == 0 ? 1 : row.scale;
    V(spread_bytes)(row.bytes, steps, 0x80808080u, q + r / WAN_TILE_ROWS * WAN_TILE_ROWS * steps + r % WAN_TILE_ROWS,
                    WAN_TILE_ROWS);
  }
}

/// The mean of each dimension over all keys.
static void V(average_keys)(const wan_attention_head_t *head, float *mean) {
  const V(vf) share = V(splat)(1 / (float)head->keys);
  memset(mean, 0, head->head_dim * sizeof *mean);
  for (size_t k = 0; k < head->keys; ++k)
    WAN_EACH(c, n, head->head_dim, {
      V(vf) x = V(load)(head->k, head->type, k * head->k_stride + c, n);
      V(store)(mean, WAN_F32, c, n, V(fma)(x, share, V(load)(mean, WAN_F32, c, n)));
    });
}

/// Returns zero, or what is not a number where a key holds such.
static float V(pack_keys)(const wan_attention_head_t *head, size_t first, size_t keys, const float *mean,
                          const V(block_t) * block) {
  const size_t steps = V(steps)(head->head_dim);
  float centred[WAN_BYTES_DIM], fault = 0;
  V(row_t) row = {{0}, 0, 0};
  for (size_t k = 0; k < wan_rounded_up(keys, WAN_LANES); ++k) {
    if (k < keys) {
      const size_t index = (first + k) * head->k_stride;
      WAN_EACH(c, n, head->head_dim,
               V(store)(centred, WAN_F32, c, n,
                        V(load)(head->k, head->type, index + c, n) - V(load)(mean, WAN_F32, c, n)););
      V(quantize)(centred, WAN_F32, 0, head->head_dim, &row);
    }
    V(spread_bytes)(row.bytes, steps, 0, block->keys + k / WAN_LANES * WAN_LANES * steps + k % WAN_LANES, WAN_LANES);
    block->key_scales[k] = row.scale;
    block->key_offsets[k] = row.sum * 128;
    fault += row.scale * 0;
  }
  return fault;
}

/// Up to WAN_WIDTH dimensions of the values from c on: what to multiply them by, whose inverse becomes their scale.
WAN_INLINE V(vf) V(value_factors)(const wan_attention_head_t *head, size_t first, size_t keys, size_t c, size_t count,
                                  float *scales) {
  V(vi) most = {0};
  for (size_t k = 0; k < keys; ++k) {
    V(vf) x = V(load)(head->v, head->type, (first + k) * head->v_stride + c, count);
    most = __builtin_elementwise_max(most, (V(vi))x & 0x7FFFFFFF);
  }
  V(vf) largest = (V(vf))most, infinite = V(splat)(INFINITY);
  V(vi) some = largest >= WAN_QUANTIZED_LEAST, finite = largest < infinite;
  *(V(vf_any) *)scales = V(pick)(finite, largest / 127, V(splat)(NAN));
  return V(pick)(some & finite, 127 / largest, V(splat)(0));
}

static void V(pack_values)(const wan_attention_head_t *head, size_t first, size_t keys, const V(block_t) * block) {
  const size_t panel = WAN_KEY_BLOCK / WAN_PER_STEP * WAN_LANES;
  for (size_t c = 0; c < V(columns)(head->head_dim); c += WAN_WIDTH) {
    V(element) *to = block->values + c / WAN_LANES * panel + c % WAN_LANES;
    size_t count = c < head->head_dim ? wan_smaller(WAN_WIDTH, head->head_dim - c) : 0;
    V(vf) factors = V(splat)(0);
    if (count > 0) factors = V(value_factors)(head, first, keys, c, count, block->value_scales + c);
    else *(V(vf_any) *)(block->value_scales + c) = factors;
    for (size_t k = 0; k < keys; k += WAN_PER_STEP, to += WAN_LANES) {
      V(vu) units = {0};
      for (size_t j = 0; j < WAN_PER_STEP && k + j < keys && count > 0; ++j) {
        V(vf) scaled = V(load)(head->v, head->type, (first + k + j) * head->v_stride + c, count) * factors;
        units |= ((V(vu))(scaled + WAN_ROUNDER) & 0xFF) << (8 * (uint32_t)j);
      }
      *(V(operand_any) *)to = units;
    }
  }
}

static void V(attention_pack)(const wan_attention_head_t *head, void *memory) {
  V(element) *packed = wan_aligned(memory);
  float mean[WAN_BYTES_DIM];
  V(average_keys)(head, mean);
  for (size_t k = 0; k < head->keys; k += WAN_KEY_BLOCK) {
    size_t keys = wan_smaller(WAN_KEY_BLOCK, head->keys - k);
    V(block_t) block = V(block)(packed, head->head_dim);
    float fault = V(pack_keys)(head, k, keys, mean, &block);
    V(pack_values)(head, k, keys, &block);
    for (size_t c = 0; c < V(columns)(head->head_dim); ++c) block.value_scales[c] += fault;
    packed = block.end;
  }
}
