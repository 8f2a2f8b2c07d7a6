#ifndef WAN_WIDTH
#define WAN_FILE "convert.c"
#include "variants.h"

void wan_widen_bf16(const uint16_t *src, float *dst, size_t count) { WAN_DISPATCH(widen_bf16, src, dst, count); }

void wan_round_bf16(const float *src, uint16_t *dst, size_t count) { WAN_DISPATCH(round_bf16, src, dst, count); }
#else
static void V(widen_bf16)(const uint16_t *src, float *dst, size_t count) {
  WAN_EACH(i, n, count, V(store)(dst, WAN_F32, i, n, V(load)(src, WAN_BF16, i, n)););
}

static void V(round_bf16)(const float *src, uint16_t *dst, size_t count) {
  WAN_EACH(i, n, count, V(store)(dst, WAN_BF16, i, n, V(load)(src, WAN_F32, i, n)););
}
#endif
