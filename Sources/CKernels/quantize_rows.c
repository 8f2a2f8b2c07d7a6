#ifndef WAN_WIDTH
#define WAN_FILE "quantize_rows.c"
#include "variants.h"

void wan_quantize_rows(const void *x, wan_dtype_t x_type, int8_t *dst, float *scales, size_t rows, size_t columns) {
  WAN_DISPATCH(quantize_rows, x, x_type, dst, scales, rows, columns);
}
#else
typedef int8_t V(vb) __attribute__((vector_size(WAN_WIDTH)));
typedef int8_t V(vb_any) __attribute__((vector_size(WAN_WIDTH), aligned(1), may_alias));

/// The largest magnitude, or what is not a number: as bit patterns, infinity is above all numbers and NaN above it.
static float V(largest_magnitude)(const void *x, wan_dtype_t type, size_t start, size_t columns) {
  V(vi) most = {0};
  WAN_EACH(c, n, columns, {
    V(vi) bits = (V(vi))V(load)(x, type, start + c, n) & 0x7FFFFFFF, larger = bits > most;
    most = (larger & bits) | (~larger & most);
  });
  int32_t lane[WAN_WIDTH], best = 0;
  float magnitude;
  memcpy(lane, &most, sizeof most);
  for (int i = 0; i < WAN_WIDTH; ++i) best = lane[i] > best ? lane[i] : best;
  memcpy(&magnitude, &best, sizeof best);
  return magnitude;
}

static void V(quantize_rows)(const void *x, wan_dtype_t type, int8_t *dst, float *scales, size_t rows,
                             size_t columns) {
  for (size_t r = 0; r < rows; ++r) {
    int8_t *to = dst + r * columns;
    float most = V(largest_magnitude)(x, type, r * columns, columns);
    if (!(most >= WAN_QUANTIZED_LEAST && most < INFINITY)) {
      memset(to, 0, columns);
      scales[r] = most < WAN_QUANTIZED_LEAST ? 0 : NAN;
      continue;
    }
    scales[r] = most / 127;
    V(vf) factor = V(splat)(127 / most);
    WAN_EACH(c, n, columns, {
      V(vf) scaled = V(load)(x, type, r * columns + c, n) * factor;
      V(vf) shifted = scaled + WAN_ROUNDER;
      V(vb) bytes = __builtin_convertvector((V(vi))shifted - WAN_ROUNDER_BITS, V(vb));
      if (n == WAN_WIDTH) *(V(vb_any) *)(to + c) = bytes;
      else memcpy(to + c, &bytes, n);
    });
  }
}
#endif
