#ifndef WAN_WIDTH
#define WAN_FILE "bias_activation.c"
#define WAN_WITH_PAIRS
#include "variants.h"

void wan_bias_activation(const float *src, size_t lds, const float *bias, void *dst, wan_dtype_t dst_type, size_t ldd,
                         size_t rows, size_t columns, wan_activation_t activation) {
  WAN_DISPATCH_PAIRS(dst_type, bias_activation, src, lds, bias, dst, dst_type, ldd, rows, columns, activation);
}
#else
static void V(bias_activation)(const float *src, size_t lds, const float *bias, void *dst, wan_dtype_t dst_type,
                               size_t ldd, size_t rows, size_t columns, wan_activation_t activation) {
  for (size_t r = 0; r < rows; ++r)
    WAN_EACH(c, left, columns, {
      V(vf) x = V(load)(src, WAN_F32, r * lds + c, left);
      if (bias) x += V(load)(bias, WAN_F32, c, left);
      V(store)(dst, dst_type, r * ldd + c, left, V(activation)(x, activation));
    });
}
#endif
