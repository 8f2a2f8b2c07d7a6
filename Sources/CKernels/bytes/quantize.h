// Rows of numbers as bytes with a scale; included once per instruction set.
typedef int8_t V(vb) __attribute__((vector_size(WAN_WIDTH)));
typedef int8_t V(vb_any) __attribute__((vector_size(WAN_WIDTH), aligned(1), may_alias));

/// The largest magnitude, or what is not a number: as bit patterns, infinity is above all numbers and NaN above it.
static float V(largest_magnitude)(const void *x, wan_dtype_t type, size_t start, size_t columns) {
  V(vi) most = {0};
  WAN_EACH(c, n, columns, {
    most = __builtin_elementwise_max(most, (V(vi))V(load)(x, type, start + c, n) & 0x7FFFFFFF);
  });
  int32_t lane[WAN_WIDTH], best = 0;
  float magnitude;
  memcpy(lane, &most, sizeof most);
  for (int i = 0; i < WAN_WIDTH; ++i) best = lane[i] > best ? lane[i] : best;
  memcpy(&magnitude, &best, sizeof best);
  return magnitude;
}

/// What a row's bytes are multiplied by, and its numbers before they are rounded: 0 where all bytes are.
static void V(row_scale)(const void *x, wan_dtype_t type, size_t start, size_t columns, float *scale, float *factor) {
  float most = V(largest_magnitude)(x, type, start, columns);
  int is_number = most >= WAN_QUANTIZED_LEAST && most < INFINITY;
  *factor = is_number ? 127 / most : 0;
  *scale = is_number ? most / 127 : most < WAN_QUANTIZED_LEAST ? 0 : NAN;
}

/// One row as wan_quantize_rows documents it; the sum of its bytes is added to sum.
static void V(quantize_row)(const void *x, wan_dtype_t type, size_t start, size_t columns, int8_t *dst, float *scale,
                            int32_t *sum) {
  float multiplier;
  V(row_scale)(x, type, start, columns, scale, &multiplier);
  if (multiplier == 0) {
    memset(dst, 0, columns);
    return;
  }
  V(vf) factor = V(splat)(multiplier);
  V(vu) total = {0};
  WAN_EACH(c, n, columns, {
    V(vf) scaled = V(load)(x, type, start + c, n) * factor;
    // The low byte of the rounded number's bits is the byte looked for.
    V(vu) bits = (V(vu))(scaled + WAN_ROUNDER);
    V(vb) bytes = __builtin_convertvector(bits, V(vb));
    total += bits - WAN_ROUNDER_BITS;
    if (n == WAN_WIDTH) *(V(vb_any) *)(dst + c) = bytes;
    else memcpy(dst + c, &bytes, n);
  });
  for (int i = 0; i < WAN_WIDTH; ++i) *sum += (int32_t)total[i];
}
