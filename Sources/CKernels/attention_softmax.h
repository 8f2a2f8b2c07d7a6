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
} wan_softmax_t;
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
                                  float *logits) {
  const float scale = (float)(head->scale * WAN_LOG2_E), unit = (float)WAN_LOG2_E;
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

/// Turns one row of logits into probabilities relative to the running maximum, and updates its state.
static void V(softmax_row)(const wan_attention_head_t *head, size_t query, size_t first_key, size_t keys,
                           float *logits, uint16_t *rounded, wan_softmax_t *state) {
  // Without biases the logits are scaled while they are used.
  const int plain = head->key_bias == NULL && head->relative_bias == NULL && head->scale > 0;
  const float scale = plain ? (float)(head->scale * WAN_LOG2_E) : 1;
  float block = plain ? V(largest_logit)(keys, logits) * scale : V(finish_logits)(head, query, first_key, keys, logits);
  float largest = state->largest > block ? state->largest : block;
  float base = largest == -INFINITY ? 0 : largest;
  V(vf) total = {0};
  for (size_t i = 0; i < keys; i += WAN_WIDTH) {
    V(vf) p = V(exp2)(V(fma)(V(load)(logits, WAN_F32, i, WAN_WIDTH), V(splat)(scale), V(splat)(-base)));
    total += p;
#if WAN_PAIRS
    // The instruction takes what is below 2^-126 for zero, which a probability may be.
    *(V(vh_any) *)(rounded + i) = (V(vh))WAN_ROUND_BF16(p);
#else
    V(store)(logits, WAN_F32, i, WAN_WIDTH, p);
#endif
  }
  (void)rounded;
  state->decay = V(exp2)(V(splat)(state->largest - base))[0];
  state->total = state->total * state->decay + V(sum)(total);
  state->largest = largest;
}
