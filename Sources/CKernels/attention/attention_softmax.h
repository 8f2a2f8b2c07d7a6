// The running softmax of a tile's queries; included once per instruction set by attention_kernels.h.
//
// Logits are kept in units of ln 2, so that exp is 2^x.
#define WAN_LOG2_E 1.4426950408889634

/// A tile's rows, as many as fill vectors.
enum { V(tile_lanes) = (WAN_TILE_ROWS + WAN_WIDTH - 1) / WAN_WIDTH * WAN_WIDTH };

/// A number for each row of a tile.
typedef float V(by_row)[V(tile_lanes)];

typedef struct {
  V(by_row) largest; // logit so far
  V(by_row) total;   // of 2^(logit - largest)
  V(by_row) decay;   // what the sums so far are worth under the new largest logit
  V(by_row) gain;    // what a block's sums are worth under it; for bytes
  V(by_row) scale;   // of the logits as they come from the product
  V(by_row) factor;  // of the block's logits as they lie, once they are scaled and biased where they must be
  V(by_row) base;    // what probabilities are relative to: 2^(factor logit - base)
} V(softmax_t);
_Static_assert(sizeof(V(softmax_t)) <= WAN_STATE_BYTES * WAN_TILE_ROWS, "the caller's scratch is too small");

/// Probabilities as the product with the values takes them.
#if WAN_QUADS
#define WAN_POWER V(rough_exp2)
typedef uint8_t V(rounded);
typedef V(rounded) V(rounded_any) __attribute__((vector_size(WAN_WIDTH), aligned(1), may_alias));
#elif WAN_PAIRS
#define WAN_POWER V(rough_exp2)
typedef uint16_t V(rounded);
#else
#define WAN_POWER V(exp2)
typedef uint16_t V(rounded);
#endif

/// The largest of the logits of one row as they are. Lanes past the last key become -infinity.
WAN_INLINE float V(largest_logit)(size_t keys, float *logits) {
  V(vf) largest = V(splat)(-INFINITY);
  WAN_EACH(i, n, keys, {
    V(vf) x = V(load)(logits, WAN_F32, i, WAN_WIDTH);
    if (n < WAN_WIDTH) {
      for (size_t j = n; j < WAN_WIDTH; ++j) x[j] = -INFINITY;
      V(store)(logits, WAN_F32, i, WAN_WIDTH, x);
    }
    largest = V(max)(largest, x);
  });
  return V(largest)(largest);
}

/// Scales the logits of one row and adds its biases; returns the largest. Lanes past the last key become -infinity.
WAN_INLINE float V(finish_logits)(const wan_attention_head_t *head, size_t query, size_t first_key, size_t keys,
                                  float scale, float *logits) {
  const float unit = (float)WAN_LOG2_E;
  const float *bias = head->key_bias ? head->key_bias + first_key : NULL, *relative = NULL;
  if (head->relative_bias) relative = head->relative_bias + (first_key + head->queries_total - 1 - query);
  V(vf) largest = V(splat)(-INFINITY);
  WAN_EACH(i, n, keys, {
    V(vf) x = V(load)(logits, WAN_F32, i, WAN_WIDTH) * scale;
    if (bias) x = V(fma)(V(load)(bias, WAN_F32, i, n), V(splat)(unit), x);
    if (relative) x = V(fma)(V(load)(relative, WAN_F32, i, n), V(splat)(unit), x);
    for (size_t j = n; j < WAN_WIDTH; ++j) x[j] = -INFINITY;
    V(store)(logits, WAN_F32, i, WAN_WIDTH, x);
    largest = V(max)(largest, x);
  });
  return V(largest)(largest);
}

/// Writes the probabilities 2^(logits * scale - base) of one row, in 255ths as bytes; returns their sum.
WAN_INLINE float V(probabilities)(float *logits, size_t keys, float scale, float base, V(rounded) * rounded) {
#if WAN_QUADS
  V(vu) counts = {0};
  base -= 7.99435344f;  // log2 255
#endif
  V(vf) total = {0};
  for (size_t i = 0; i < keys; i += WAN_WIDTH) {
    V(vf) p = WAN_POWER(V(fma)(V(load)(logits, WAN_F32, i, WAN_WIDTH), V(splat)(scale), V(splat)(-base)));
#if WAN_QUADS
    V(vu) bits = (V(vu))(p + WAN_ROUNDER);
    counts += bits;
    *(V(rounded_any) *)(rounded + i) = __builtin_convertvector(bits, V(rounded_any));
#else
    total += p;
#if WAN_PAIRS
    // The instruction takes what is below 2^-126 for zero, which a probability may be.
    *(V(vh_any) *)(rounded + i) = (V(vh))WAN_ROUND_BF16(p);
#else
    V(store)(logits, WAN_F32, i, WAN_WIDTH, p);
#endif
#endif
  }
  (void)rounded;
#if WAN_QUADS
  counts -= (uint32_t)((keys + WAN_WIDTH - 1) / WAN_WIDTH) * WAN_ROUNDER_BITS;
  total = __builtin_convertvector((V(vi))counts, V(vf));
#endif
  return V(sum)(total);
}

/// The largest of a block's logits in each row, and how they are scaled while they are used; nothing in other rows.
static void V(largest_logits)(const wan_attention_head_t *head, size_t query, size_t rows, size_t first_key,
                              size_t keys, float *logits, V(softmax_t) * state, float *largest) {
  const int biased = head->key_bias != NULL || head->relative_bias != NULL;
  for (size_t r = 0; r < V(tile_lanes); ++r) largest[r] = -INFINITY;
  for (size_t r = 0; r < rows; ++r, logits += WAN_KEY_BLOCK) {
    float scale = state->scale[r];
    const int plain = !biased && scale > 0;
    state->factor[r] = plain ? scale : 1;
    largest[r] = plain ? V(largest_logit)(keys, logits) * scale
                       : V(finish_logits)(head, query + r, first_key, keys, scale, logits);
  }
}

/// Finds what a block's probabilities are relative to: the running maximum, or as bytes the block's own.
static void V(softmax_begin)(const float *found, V(softmax_t) * state) {
  for (size_t r = 0; r < V(tile_lanes); r += WAN_WIDTH) {
    const V(vf) none = V(splat)(-INFINITY), zero = {0};
    V(vf) block = V(load)(found, WAN_F32, r, WAN_WIDTH), old = V(load)(state->largest, WAN_F32, r, WAN_WIDTH);
    V(vf) largest = V(max)(old, block), base = V(pick)(largest == none, zero, largest);
    V(store)(state->decay, WAN_F32, r, WAN_WIDTH, V(exp2)(old - base));
    V(store)(state->largest, WAN_F32, r, WAN_WIDTH, largest);
#if WAN_QUADS
    V(store)(state->gain, WAN_F32, r, WAN_WIDTH, V(exp2)(block - base) / 255);
    base = V(pick)(block == none, zero, block);
#else
    V(store)(state->gain, WAN_F32, r, WAN_WIDTH, V(splat)(1));
#endif
    V(store)(state->base, WAN_F32, r, WAN_WIDTH, base);
  }
}

/// Turns rows of logits into probabilities.
static void V(softmax_finish)(size_t rows, size_t keys, float *logits, V(rounded) * rounded, V(softmax_t) * state) {
  for (size_t r = 0; r < rows; ++r, logits += WAN_KEY_BLOCK, rounded += WAN_KEY_BLOCK) {
    float total = V(probabilities)(logits, keys, state->factor[r], state->base[r], rounded);
    state->total[r] = state->total[r] * state->decay[r] + total * state->gain[r];
  }
}
#undef WAN_POWER
