#ifndef WAN_WIDTH
#define WAN_FILE "quantize_rows.c"
#include "variants.h"

void wan_quantize_rows(const void *x, wan_dtype_t x_type, int8_t *dst, size_t dst_stride, float *scales, int32_t *sums,
                       size_t rows, size_t columns) {
  for (size_t r = 0; r < rows; ++r) {
    int32_t sum = 0;
    WAN_DISPATCH(quantize_row, x, x_type, r * columns, columns, dst + r * dst_stride, scales + r, &sum);
    if (sums) sums[r] = sum;
  }
}

void wan_row_scale(const float *x, size_t columns, float *scale, float *factor) {
  WAN_DISPATCH(row_scale, x, WAN_F32, 0, columns, scale, factor);
}
#else
#include "quantize.h"
#endif
