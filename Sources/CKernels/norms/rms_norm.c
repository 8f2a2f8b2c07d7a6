#ifndef WAN_WIDTH
#define WAN_FILE "rms_norm.c"
#include "variants.h"

void wan_rms_norm(const void *x, wan_dtype_t x_type, const float *weight, void *dst, wan_dtype_t dst_type, size_t rows,
                  size_t columns, float epsilon) {
  WAN_DISPATCH(rms_norm, x, x_type, weight, dst, dst_type, rows, columns, epsilon);
}
#else
#include "reductions.h"

static void V(rms_norm)(const void *x, wan_dtype_t x_type, const float *weight, void *dst, wan_dtype_t dst_type,
                        size_t rows, size_t columns, float epsilon) {
  for (size_t r = 0; r < rows; ++r) {
    size_t row = r * columns;
    float factor = 1.0f / sqrtf(V(row_squares)(x, x_type, row, columns, 0) / (float)columns + epsilon);
    WAN_EACH(c, left, columns, {
      V(vf) y = V(load)(x, x_type, row + c, left) * factor * V(load)(weight, WAN_F32, c, left);
      V(store)(dst, dst_type, row + c, left, y);
    });
  }
}
#endif
