#ifndef WAN_WIDTH
#define WAN_FILE "scale_bias_activation.c"
#define WAN_WITH_PAIRS
#include "variants.h"

void wan_scale_bias_activation(const int32_t *src, size_t lds, const float *row_scales, const float *column_scales,
                               const float *bias, void *dst, wan_dtype_t dst_type, size_t ldd, size_t rows,
                               size_t columns, wan_activation_t activation) {
  WAN_DISPATCH_PAIRS(dst_type, scale_bias_activation, src, lds, row_scales, column_scales, bias, dst, dst_type, ldd, rows, columns,
               activation);
}
#else
static void V(scale_bias_activation)(const int32_t *src, size_t lds, const float *row_scales,
                                     const float *column_scales, const float *bias, void *dst, wan_dtype_t dst_type,
                                     size_t ldd, size_t rows, size_t columns, wan_activation_t activation) {
  for (size_t r = 0; r < rows; ++r)
    WAN_EACH(c, left, columns, {
      V(vi) sum = (V(vi))V(load)(src, WAN_F32, r * lds + c, left);
      V(vf) x = __builtin_convertvector(sum, V(vf)) * row_scales[r] * V(load)(column_scales, WAN_F32, c, left);
      if (bias) x += V(load)(bias, WAN_F32, c, left);
      V(store)(dst, dst_type, r * ldd + c, left, V(activation)(x, activation));
    });
}
#endif
