#ifndef WAN_WIDTH
#define WAN_FILE "channel_norm.c"
#include "variants.h"

void wan_channel_norm(const void *x, wan_dtype_t x_type, const float *gamma, void *dst, size_t rows, size_t columns,
                      wan_activation_t activation) {
  WAN_DISPATCH(channel_norm, x, x_type, gamma, dst, rows, columns, activation);
}
#else
#include "reductions.h"

static void V(channel_norm)(const void *x, wan_dtype_t type, const float *gamma, void *dst, size_t rows, size_t columns,
                            wan_activation_t activation) {
  float root = sqrtf((float)columns);
  for (size_t r = 0; r < rows; ++r) {
    size_t row = r * columns;
    float length = sqrtf(V(row_squares)(x, type, row, columns, 0));
    float factor = root / (length < 1e-12f ? 1e-12f : length);
    WAN_EACH(c, left, columns, {
      V(vf) y = V(load)(x, type, row + c, left) * factor * V(load)(gamma, WAN_F32, c, left);
      V(store)(dst, type, row + c, left, V(activation)(y, activation));
    });
  }
}
#endif
