// The running softmax of one query; included once per instruction set by attention_kernels.h.
//
// Logits are kept in units of ln 2, so that exp is 2^x.
#define WAN_LOG2_E 1.4426950408889634

#ifndef WAN_SOFTMAX_T
#define WAN_SOFTMAX_T
typedef struct {
  float largest; // logit so far
  float total;   // of 2^(logit - largest)
  float decay;   // what the sums so far are worth under the new largest logit
  float gain;    // what a block's sums are worth under it; for bytes
  float scale;   // of the logits as they come from the product
  float factor;  // of the block's logits as they lie, once they are scaled and biased where they must be
  float base;    // what probabilities are relative to: 2^(factor logit - base)
} wan_softmax_t;
#endif

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
    counts += bits - WAN_ROUNDER_BITS;
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
  total = __builtin_convertvector(counts, V(vf));
#endif
  return V(sum)(total);
}

/// Finds what a block's probabilities in one row are relative to: the running maximum, or as bytes the block's own.
static void V(softmax_begin)(const wan_attention_head_t *head, size_t query, size_t first_key, size_t keys,
                             float *logits, wan_softmax_t *state) {
  // Without biases the logits are scaled while they are used.
  const int plain = head->key_bias == NULL && head->relative_bias == NULL && state->scale > 0;
  state->factor = plain ? state->scale : 1;
  float block = plain ? V(largest_logit)(keys, logits) * state->scale
                      : V(finish_logits)(head, query, first_key, keys, state->scale, logits);
  float largest = state->largest > block ? state->largest : block;
  float base = largest == -INFINITY ? 0 : largest;
  state->decay = V(exp2)(V(splat)(state->largest - base))[0];
  state->largest = largest;
#if WAN_QUADS
  state->base = block == -INFINITY ? 0 : block;
  state->gain = block == -INFINITY ? 0 : V(exp2)(V(splat)(block - base))[0] / 255;
#else
  state->base = base;
  state->gain = 1;
#endif
}

/// Turns one row of logits into probabilities.
static void V(softmax_finish)(size_t keys, float *logits, V(rounded) * rounded, wan_softmax_t *state) {
  float total = V(probabilities)(logits, keys, state->factor, state->base, rounded);
  state->total = state->total * state->decay + total * state->gain;
}
#undef WAN_POWER
