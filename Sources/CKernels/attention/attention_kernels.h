// Attention for one instruction set. With WAN_PAIRS, products take pairs of bfloat16 (vdpbf16ps), and probabilities
// are rounded to bfloat16 for them; with WAN_QUADS they take four bytes (vpdpbusd), whose first factors are unsigned;
// otherwise everything is float32.
#include "attention.h"
#include "tile.h"

#if WAN_QUADS || WAN_PAIRS
typedef uint32_t V(element) __attribute__((may_alias));
typedef V(vu) V(operand);
#else
typedef float V(element);
typedef V(vf) V(operand);
#endif

#if WAN_QUADS
#define WAN_PER_STEP 4
#define WAN_MULTIPLY_ADD WAN_DOT_BYTES
typedef V(vu) V(sums);
#else
#define WAN_PER_STEP (1 + WAN_PAIRS)
typedef V(vf) V(sums);
#endif
#if WAN_PAIRS
#define WAN_MULTIPLY_ADD WAN_DOT_BF16
#elif !WAN_QUADS
#define WAN_MULTIPLY_ADD(sum, a, b) V(fma)(a, b, sum)
#endif
typedef V(operand) V(operand_any) __attribute__((aligned(4), may_alias));

WAN_INLINE size_t V(steps)(size_t count) { return (count + WAN_PER_STEP - 1) / WAN_PER_STEP; }
WAN_INLINE size_t V(columns)(size_t head_dim) { return wan_rounded_up(head_dim, WAN_LANES); }

/// The parts of a packed block of keys; the factors are there in bytes only.
typedef struct {
  V(element) *keys, *values;
  float *key_scales, *value_scales;
  int32_t *key_offsets;
  V(element) *end;
} V(block_t);

WAN_INLINE V(block_t) V(block)(V(element) * at, size_t head_dim) {
  V(block_t) block = {.keys = at, .values = at + WAN_KEY_BLOCK * V(steps)(head_dim)};
  block.end = block.values + V(columns)(head_dim) * (WAN_KEY_BLOCK / WAN_PER_STEP);
#if WAN_QUADS
  block.key_scales = (float *)block.end;
  block.key_offsets = (int32_t *)(block.key_scales + WAN_KEY_BLOCK);
  block.value_scales = (float *)(block.key_offsets + WAN_KEY_BLOCK);
  block.end += 2 * WAN_KEY_BLOCK + V(columns)(head_dim);
#endif
  return block;
}

#include "attention_softmax.h"
#if WAN_QUADS
#include "attention_pack_bytes.h"
#else
#include "attention_pack.h"
#endif
#include "attention_tiles.h"

/// The parts of the caller's scratch.
typedef struct {
  V(element) * q;             // [tile][step][row of tile]
  float *logits;              // [row][WAN_KEY_BLOCK], then the probabilities
  V(rounded) * probabilities; // [row][WAN_KEY_BLOCK] as products take them, unless that is float32
  float *sums;                // [row][columns], not yet divided
  V(softmax_t) * state;       // [tile]
} V(scratch_t);

static V(scratch_t) V(scratch)(void *memory, size_t head_dim) {
  size_t rows = wan_query_rows(head_dim);
  V(scratch_t) s;
  s.logits = wan_aligned(memory);
  s.sums = s.logits + rows * WAN_KEY_BLOCK;
  s.q = (V(element) *)(s.sums + rows * V(columns)(head_dim));
  s.state = (V(softmax_t) *)(s.q + rows * V(steps)(head_dim));
  s.probabilities = (V(rounded) *)(s.state + rows / WAN_TILE_ROWS);
  return s;
}

/// The probabilities of one tile of queries, rows of which are there, over one block of keys. Its logits stay in the
/// nearest cache, and the keys come from the next.
static void V(attend_tile)(const wan_attention_head_t *head, size_t query, size_t rows, size_t first_key,
                           const V(block_t) * block, const V(scratch_t) * s) {
  size_t keys = wan_smaller(WAN_KEY_BLOCK, head->keys - first_key);
  for (size_t k = 0; k < keys; k += WAN_LANES) V(logits_tile)(s->q, block, k, V(steps)(head->head_dim), s->logits + k);
  V(by_row) largest;
  V(largest_logits)(head, query, rows, first_key, keys, s->logits, s->state, largest);
  V(softmax_begin)(largest, s->state);
  V(softmax_finish)(rows, keys, s->logits, s->probabilities, s->state);
}

/// Adds one block of keys to the running result of rows queries.
static void V(attend_block)(const wan_attention_head_t *head, size_t first_query, size_t rows, size_t first_key,
                            const V(block_t) * block, const V(scratch_t) * s) {
  size_t keys = wan_smaller(WAN_KEY_BLOCK, head->keys - first_key);
  size_t padded = wan_rounded_up(rows, WAN_TILE_ROWS), columns = V(columns)(head->head_dim);
  V(scratch_t) tile = *s;
  for (size_t r = 0; r < rows; r += WAN_TILE_ROWS) {
    V(attend_tile)(head, head->query_offset + first_query + r, wan_smaller(WAN_TILE_ROWS, rows - r), first_key, block,
                   &tile);
    tile.q += WAN_TILE_ROWS * V(steps)(head->head_dim);
    tile.logits += WAN_TILE_ROWS * WAN_KEY_BLOCK;
    tile.probabilities += WAN_TILE_ROWS * WAN_KEY_BLOCK;
    tile.state += 1;
  }
#if WAN_PAIRS || WAN_QUADS
  const V(element) *weights = (const V(element) *)s->probabilities;
#else
  const V(element) *weights = s->logits;
#endif
  size_t step = WAN_KEY_BLOCK / WAN_PER_STEP;
  for (size_t c = 0; c < columns; c += WAN_LANES)
    for (size_t r = 0; r < padded; r += WAN_TILE_ROWS)
      V(values_tile)(weights + r * step, block, c, V(steps)(keys), s->state + r / WAN_TILE_ROWS,
                     s->sums + r * columns + c, columns);
}

static void V(attend_rows)(const wan_attention_head_t *head, size_t first, size_t rows, V(element) * packed,
                           void *memory) {
  V(scratch_t) s = V(scratch)(memory, head->head_dim);
  size_t columns = V(columns)(head->head_dim), padded = wan_rounded_up(rows, WAN_TILE_ROWS);
  for (size_t t = 0; t < padded / WAN_TILE_ROWS; ++t) {
    s.state[t] = (V(softmax_t)){.total = {0}};
    for (size_t r = 0; r < V(tile_lanes); ++r) {
      s.state[t].largest[r] = -INFINITY;
      s.state[t].scale[r] = (float)(head->scale * WAN_LOG2_E);
    }
  }
  V(pack_queries)(head, first, rows, s.q, s.state);
  memset(s.sums, 0, padded * columns * sizeof *s.sums);
#if WAN_PAIRS || WAN_QUADS
  memset(s.probabilities, 0, padded * WAN_KEY_BLOCK * sizeof *s.probabilities);
#endif
  for (size_t key = 0; key < head->keys; key += WAN_KEY_BLOCK) {
    V(block_t) block = V(block)(packed, head->head_dim);
    V(attend_block)(head, first, rows, key, &block, &s);
    packed = block.end;
  }
  for (size_t r = 0; r < rows; ++r) {
    float total = s.state[r / WAN_TILE_ROWS].total[r % WAN_TILE_ROWS], factor = total == 0 ? 0 : 1 / total;
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
