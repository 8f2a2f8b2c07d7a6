#ifndef WAN_WIDTH
#define WAN_FILE "rotary.c"
#include "variants.h"

void wan_rotary(const void *x, wan_dtype_t x_type, const float *table, void *dst, size_t rows, size_t heads,
                size_t head_dim) {
  WAN_DISPATCH(rotary, x, x_type, table, dst, rows, heads, head_dim);
}

void wan_rms_norm_rotary(const void *x, wan_dtype_t x_type, const float *weight, const float *table, void *dst,
                         size_t rows, size_t heads, size_t head_dim, float epsilon) {
  WAN_DISPATCH(rms_norm_rotary, x, x_type, weight, table, dst, rows, heads, head_dim, epsilon);
}
#else
#include "reductions.h"

/// Turns each pair (a, b) by its (cosine, sine): (a cos - b sin, a sin + b cos).
WAN_INLINE V(vf) V(turn)(V(vf) x, V(vf) table) {
#if WAN_WIDTH == 4
#define WAN_LANES(even, odd) even, odd, even + 2, odd + 2
  const V(vf) sign = {-1, 1, -1, 1};
#elif WAN_WIDTH == 8
#define WAN_LANES(even, odd) even, odd, even + 2, odd + 2, even + 4, odd + 4, even + 6, odd + 6
  const V(vf) sign = {-1, 1, -1, 1, -1, 1, -1, 1};
#else
#define WAN_LANES(even, odd)                                                                                     \
  even, odd, even + 2, odd + 2, even + 4, odd + 4, even + 6, odd + 6, even + 8, odd + 8, even + 10, odd + 10,    \
      even + 12, odd + 12, even + 14, odd + 14
  const V(vf) sign = {-1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1};
#endif
  V(vf) swapped = __builtin_shufflevector(x, x, WAN_LANES(1, 0));
  V(vf) cosine = __builtin_shufflevector(table, table, WAN_LANES(0, 0));
  V(vf) sine = __builtin_shufflevector(table, table, WAN_LANES(1, 1));
#undef WAN_LANES
  return V(fma)(x, cosine, swapped * (sine * sign));
}

static void V(rotary)(const void *x, wan_dtype_t type, const float *table, void *dst, size_t rows, size_t heads,
                      size_t head_dim) {
  for (size_t r = 0; r < rows; ++r)
    for (size_t h = 0; h < heads; ++h)
      WAN_EACH(c, left, head_dim, {
        size_t index = (r * heads + h) * head_dim + c;
        V(vf) angles = V(load)(table, WAN_F32, r * head_dim + c, left);
        V(store)(dst, type, index, left, V(turn)(V(load)(x, type, index, left), angles));
      });
}

static void V(rms_norm_rotary)(const void *x, wan_dtype_t type, const float *weight, const float *table, void *dst,
                               size_t rows, size_t heads, size_t head_dim, float epsilon) {
  size_t columns = heads * head_dim;
  for (size_t r = 0; r < rows; ++r) {
    float factor = 1.0f / sqrtf(V(row_squares)(x, type, r * columns, columns, 0) / (float)columns + epsilon);
    for (size_t h = 0; h < heads; ++h)
      WAN_EACH(c, left, head_dim, {
        size_t column = h * head_dim + c, index = r * columns + column;
        V(vf) angles = V(load)(table, WAN_F32, r * head_dim + c, left);
        V(vf) y = V(load)(x, type, index, left) * factor * V(load)(weight, WAN_F32, column, left);
        V(store)(dst, type, index, left, V(turn)(y, angles));
      });
  }
}
#endif
