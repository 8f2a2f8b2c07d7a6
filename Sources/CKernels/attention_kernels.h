// Attention for one instruction set. With WAN_PAIRS, products take pairs of bfloat16 (vdpbf16ps), and probabilities
// are rounded to bfloat16 for them; otherwise everything is float32.
#include "attention.h"
#include "tile.h"

#if WAN_PAIRS
#define WAN_PER_STEP 2
typedef uint32_t V(element) __attribute__((may_alias));
typedef V(vu) V(operand);
#define WAN_MULTIPLY_ADD WAN_DOT_BF16
#else
#define WAN_PER_STEP 1
typedef float V(element);
typedef V(vf) V(operand);
#if WAN_FMA
#define WAN_MULTIPLY_ADD(sum, a, b) __builtin_elementwise_fma(a, b, sum)
#else
#define WAN_MULTIPLY_ADD(sum, a, b) (sum) + (a) * (b)
#endif
#endif
typedef V(operand) V(operand_any) __attribute__((aligned(4), may_alias));

WAN_INLINE size_t V(steps)(size_t count) { return (count + WAN_PER_STEP - 1) / WAN_PER_STEP; }
WAN_INLINE size_t V(columns)(size_t head_dim) { return wan_rounded_up(head_dim, WAN_LANES); }
WAN_INLINE size_t V(key_elements)(size_t head_dim) { return WAN_KEY_BLOCK * V(steps)(head_dim); }
WAN_INLINE size_t V(block_elements)(size_t head_dim) {
  return V(key_elements)(head_dim) + V(columns)(head_dim) * (WAN_KEY_BLOCK / WAN_PER_STEP);
}

#include "attention_pack.h"
#include "attention_softmax.h"
#include "attention_tiles.h"

/// The parts of the caller's scratch.
typedef struct {
  V(element) * q;             // [tile][step][row of tile]
  float *logits;              // [row][WAN_KEY_BLOCK], then the probabilities
  uint16_t *probabilities;    // [row][WAN_KEY_BLOCK] in bfloat16, with WAN_PAIRS
  float *sums;                // [row][columns], not yet divided
  wan_softmax_t *state;       // [row]
} V(scratch_t);

static V(scratch_t) V(scratch)(void *memory, size_t head_dim) {
  size_t rows = wan_query_rows(head_dim);
  V(scratch_t) s;
  s.logits = wan_aligned(memory);
  s.sums = s.logits + rows * WAN_KEY_BLOCK;
  s.q = (V(element) *)(s.sums + rows * V(columns)(head_dim));
  s.state = (wan_softmax_t *)(s.q + rows * V(steps)(head_dim));
  s.probabilities = (uint16_t *)(s.state + rows);
  return s;
}

/// Adds one block of keys to the running result of rows queries.
static void V(attend_block)(const wan_attention_head_t *head, size_t first_query, size_t rows, size_t first_key,
                            const V(element) * packed, const V(scratch_t) * s) {
  size_t keys = wan_smaller(WAN_KEY_BLOCK, head->keys - first_key), depth = V(steps)(head->head_dim);
  size_t padded = wan_rounded_up(rows, WAN_TILE_ROWS), columns = V(columns)(head->head_dim);
  for (size_t k = 0; k < keys; k += WAN_LANES)
    for (size_t r = 0; r < padded; r += WAN_TILE_ROWS)
      V(logits_tile)(s->q + r * depth, packed + k * depth, depth, s->logits + r * WAN_KEY_BLOCK + k);
  for (size_t r = 0; r < rows; ++r)
    V(softmax_row)(head, head->query_offset + first_query + r, first_key, keys, s->logits + r * WAN_KEY_BLOCK,
                   s->probabilities + r * WAN_KEY_BLOCK, s->state + r);
  const V(element) *values = packed + V(key_elements)(head->head_dim);
#if WAN_PAIRS
  const V(element) *weights = (const V(element) *)s->probabilities;
#else
  const V(element) *weights = s->logits;
#endif
  size_t step = WAN_KEY_BLOCK / WAN_PER_STEP;
  for (size_t c = 0; c < columns; c += WAN_LANES)
    for (size_t r = 0; r < padded; r += WAN_TILE_ROWS)
      V(values_tile)(weights + r * step, values + c * step, V(steps)(keys), s->state + r, s->sums + r * columns + c,
                     columns);
}

static void V(attend_rows)(const wan_attention_head_t *head, size_t first, size_t rows, const V(element) * packed,
                           void *memory) {
  V(scratch_t) s = V(scratch)(memory, head->head_dim);
  size_t columns = V(columns)(head->head_dim), padded = wan_rounded_up(rows, WAN_TILE_ROWS);
  V(pack_queries)(head, first, rows, s.q);
  memset(s.sums, 0, padded * columns * sizeof *s.sums);
  memset(s.probabilities, 0, WAN_PAIRS * padded * WAN_KEY_BLOCK * sizeof *s.probabilities);
  for (size_t r = 0; r < padded; ++r) s.state[r] = (wan_softmax_t){.largest = -INFINITY};
  for (size_t key = 0; key < head->keys; key += WAN_KEY_BLOCK, packed += V(block_elements)(head->head_dim))
    V(attend_block)(head, first, rows, key, packed, &s);
  for (size_t r = 0; r < rows; ++r) {
    float total = s.state[r].total, factor = total == 0 ? 0 : 1 / total;
    const float *sums = s.sums + r * columns;
    WAN_EACH(c, n, head->head_dim,
             V(store)(head->dst, head->type, (first + r) * head->dst_stride + c, n,
                      V(load)(sums, WAN_F32, c, n) * factor););
  }
}

static void V(attention)(const wan_attention_head_t *head, const void *packed, void *scratch) {
  size_t block = wan_query_rows(head->head_dim);
  for (size_t r = 0; r < head->queries; r += block)
    V(attend_rows)(head, r, wan_smaller(block, head->queries - r), wan_aligned(packed), scratch);
}

#undef WAN_MULTIPLY_ADD
#undef WAN_PER_STEP
#include "tile_end.h"
