#ifndef WAN_WIDTH
#define WAN_FILE "convert.c"
#include "variants.h"

void wan_widen_bf16(const uint16_t *src, float *dst, size_t count) {
  WAN_DISPATCH(convert, src, WAN_BF16, dst, WAN_F32, count);
}

void wan_round_bf16(const float *src, uint16_t *dst, size_t count) {
  WAN_DISPATCH(convert, src, WAN_F32, dst, WAN_BF16, count);
}
#else
static void V(convert)(const void *src, wan_dtype_t from, void *dst, wan_dtype_t to, size_t count) {
  if (from == WAN_BF16) WAN_EACH(i, n, count, V(store)(dst, WAN_F32, i, n, V(load)(src, WAN_BF16, i, n)););
  else WAN_EACH(i, n, count, V(store)(dst, to, i, n, V(load)(src, WAN_F32, i, n)););
}
#endif
