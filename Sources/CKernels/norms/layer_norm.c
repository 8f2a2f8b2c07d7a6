#ifndef WAN_WIDTH
#define WAN_FILE "layer_norm.c"
#include "variants.h"

void wan_layer_norm(const float *x, const float *scale, const float *shift, void *dst, wan_dtype_t dst_type,
                    size_t rows, size_t columns, float epsilon) {
  WAN_DISPATCH(layer_norm, x, scale, shift, dst, dst_type, rows, columns, epsilon);
}
#else
#include "reductions.h"

static void V(layer_norm)(const float *x, const float *scale, const float *shift, void *dst, wan_dtype_t dst_type,
                          size_t rows, size_t columns, float epsilon) {
  for (size_t r = 0; r < rows; ++r) {
    const float *row = x + r * columns;
    float mean = V(row_sum)(row, columns) / (float)columns;
    float variance = V(row_squares)(row, WAN_F32, 0, columns, mean) / (float)columns;
    float factor = 1.0f / sqrtf(variance + epsilon);
    WAN_EACH(c, left, columns, {
      V(vf) y = (V(load)(row, WAN_F32, c, left) - mean) * factor;
      y = V(fma)(y, V(load)(scale, WAN_F32, c, left), V(load)(shift, WAN_F32, c, left));
      V(store)(dst, dst_type, r * columns + c, left, y);
    });
  }
}
#endif
