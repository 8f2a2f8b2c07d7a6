// Loops of independent multiply-adds on numbers that never leave the registers: the rate that no product passes.
//
// Each sum starts elsewhere and is a factor of its own next value where the compiler could otherwise find two loops, or
// two rounds, to be the same.
#ifndef WAN_WIDTH
#define WAN_FILE "rates.c"
#define WAN_WITH_PAIRS 1
#define WAN_WITH_QUADS 1
#include "variants.h"

double wan_multiply_loop(wan_factors_t factors, size_t rounds) {
  double operations = 0;
  if (factors == WAN_FACTORS_I8) {
    WAN_DISPATCH_QUADS(1, byte_loop, rounds, &operations) WAN_DISPATCH(byte_loop, rounds, &operations);
  } else {
    WAN_DISPATCH_PAIRS(factors == WAN_FACTORS_BF16 ? WAN_BF16 : WAN_F32, float_loop, rounds, &operations);
  }
  return operations;
}
#else
#define WAN_SUMS(each) each(0) each(1) each(2) each(3) each(4) each(5) each(6) each(7) each(8) each(9) each(10) each(11)

#if !WAN_QUADS
static void V(float_loop)(size_t rounds, double *operations) {
  const V(vf) a = V(splat)(0.5f + (float)(rounds % 2)), b = V(splat)(0.25f);
#define WAN_START(i) V(vf) sum##i = V(splat)(i);
  WAN_SUMS(WAN_START)
#undef WAN_START
  for (size_t round = 0; round < rounds; ++round) {
#if WAN_PAIRS
#define WAN_ADD(i) sum##i = WAN_DOT_BF16(sum##i, a, b);
#else
#define WAN_ADD(i) sum##i = V(fma)(sum##i, b, a);
#endif
    WAN_SUMS(WAN_ADD)
#undef WAN_ADD
  }
  V(vf) total = a;
#define WAN_TAKE(i) total += sum##i;
  WAN_SUMS(WAN_TAKE)
#undef WAN_TAKE
  volatile float kept = V(sum)(total);
  (void)kept;
  *operations = 2.0 * 12 * WAN_WIDTH * (WAN_PAIRS ? 2 : 1) * (double)rounds;
}
#endif

#if !WAN_PAIRS
static void V(byte_loop)(size_t rounds, double *operations) {
  const V(vu) a = (V(vu)){0} + (unsigned)(rounds | 1), b = a << 1;
#define WAN_START(i) V(vu) sum##i = a + i;
  WAN_SUMS(WAN_START)
#undef WAN_START
  for (size_t round = 0; round < rounds; ++round) {
#if WAN_QUADS
#define WAN_ADD(i) sum##i = WAN_DOT_BYTES(sum##i, a, b);
#elif WAN_X86 && WAN_WIDTH == 16
#define WAN_ADD(i) sum##i += (V(vu))_mm512_madd_epi16((__m512i)(sum##i), (__m512i)(b));
#elif WAN_X86 && WAN_WIDTH == 8
#define WAN_ADD(i) sum##i += (V(vu))_mm256_madd_epi16((__m256i)(sum##i), (__m256i)(b));
#elif WAN_X86
#define WAN_ADD(i) sum##i += (V(vu))_mm_madd_epi16((__m128i)(sum##i), (__m128i)(b));
#else
#define WAN_ADD(i) sum##i += ((sum##i << 16) >> 16) * (b & 0xffff) + (sum##i >> 16) * (b >> 16);
#endif
    WAN_SUMS(WAN_ADD)
#undef WAN_ADD
  }
  V(vu) total = a;
#define WAN_TAKE(i) total += sum##i;
  WAN_SUMS(WAN_TAKE)
#undef WAN_TAKE
  volatile unsigned kept = total[0];
  (void)kept;
  *operations = 2.0 * 12 * WAN_WIDTH * (WAN_QUADS ? 4 : 2) * (double)rounds;
}
#endif

#undef WAN_SUMS
#endif
