// Vectors of WAN_WIDTH float32 lanes and what the kernels do with them; included once per instruction set.
//
// Written on the compiler's vector types, so that one text serves every set. No include guard: V() names differ.
typedef float V(vf) __attribute__((vector_size(WAN_WIDTH * 4)));
typedef int32_t V(vi) __attribute__((vector_size(WAN_WIDTH * 4)));
typedef uint32_t V(vu) __attribute__((vector_size(WAN_WIDTH * 4)));
typedef uint16_t V(vh) __attribute__((vector_size(WAN_WIDTH * 2)));
typedef float V(vf_any) __attribute__((vector_size(WAN_WIDTH * 4), aligned(4), may_alias));
typedef int32_t V(vi_any) __attribute__((vector_size(WAN_WIDTH * 4), aligned(4), may_alias));
typedef uint16_t V(vh_any) __attribute__((vector_size(WAN_WIDTH * 2), aligned(2), may_alias));

WAN_INLINE V(vf) V(splat)(float x) { return x - (V(vf)){0}; }

WAN_INLINE V(vf) V(fma)(V(vf) a, V(vf) b, V(vf) c) {
#if WAN_FMA
  return __builtin_elementwise_fma(a, b, c);
#else
  return a * b + c;
#endif
}

/// yes where the mask is all ones, no where it is zero.
WAN_INLINE V(vf) V(pick)(V(vi) mask, V(vf) yes, V(vf) no) { return (V(vf))((mask & (V(vi))yes) | (~mask & (V(vi))no)); }

/// The larger of each pair; b where either is not a number.
#if WAN_X86 && WAN_WIDTH == 16
WAN_INLINE V(vf) V(max)(V(vf) a, V(vf) b) { return (V(vf))_mm512_max_ps((__m512)a, (__m512)b); }
WAN_INLINE V(vf) V(min)(V(vf) a, V(vf) b) { return (V(vf))_mm512_min_ps((__m512)a, (__m512)b); }
#else
WAN_INLINE V(vf) V(max)(V(vf) a, V(vf) b) { return V(pick)(a > b, a, b); }
WAN_INLINE V(vf) V(min)(V(vf) a, V(vf) b) { return V(pick)(a < b, a, b); }
#endif

/// The sum of all lanes, halves first: the order is fixed.
WAN_INLINE float V(sum)(V(vf) x) {
  float lane[WAN_WIDTH];
  memcpy(lane, &x, sizeof x);
  for (int half = WAN_WIDTH / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) lane[i] += lane[i + half];
  return lane[0];
}

WAN_INLINE float V(largest)(V(vf) x) {
  float lane[WAN_WIDTH];
  memcpy(lane, &x, sizeof x);
  for (int half = WAN_WIDTH / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) lane[i] = lane[i] > lane[i + half] ? lane[i] : lane[i + half];
  return lane[0];
}

WAN_INLINE V(vf) V(widen)(V(vh) bits) { return (V(vf))(__builtin_convertvector(bits, V(vu)) << 16); }

/// Rounds to the nearest bfloat16, ties to even; a NaN stays one and becomes quiet. The instruction takes what is below
/// 2^-126 for zero.
WAN_INLINE V(vh) V(round16)(V(vf) x) {
#if WAN_PAIRS
  return (V(vh))WAN_ROUND_BF16(x);
#else
  V(vu) bits = (V(vu))x, odd = (bits >> 16) & 1;
  V(vu) rounded = (bits + 0x7FFF + odd) >> 16, quiet = (bits >> 16) | 0x40;
  V(vu) nan = (V(vu))(x != x);
  return __builtin_convertvector((nan & quiet) | (~nan & rounded), V(vh));
#endif
}

/// Elements index ..< index + count of an array of either type; lanes past count are zero. 0 < count.
WAN_INLINE V(vf) V(load)(const void *from, wan_dtype_t type, size_t index, size_t count) {
  if (type == WAN_F32) {
    const float *at = (const float *)from + index;
    if (count >= WAN_WIDTH) return *(const V(vf_any) *)at;
    V(vf) x = {0};
    memcpy(&x, at, count * sizeof(float));
    return x;
  }
  const uint16_t *at = (const uint16_t *)from + index;
  if (count >= WAN_WIDTH) return V(widen)(*(const V(vh_any) *)at);
  V(vh) bits = {0};
  memcpy(&bits, at, count * sizeof(uint16_t));
  return V(widen)(bits);
}

/// Writes the first count lanes.
WAN_INLINE void V(store)(void *to, wan_dtype_t type, size_t index, size_t count, V(vf) x) {
  if (type == WAN_F32) {
    float *at = (float *)to + index;
    if (count >= WAN_WIDTH) *(V(vf_any) *)at = x;
    else memcpy(at, &x, count * sizeof(float));
    return;
  }
  uint16_t *at = (uint16_t *)to + index;
  V(vh) bits = V(round16)(x);
  if (count >= WAN_WIDTH) *(V(vh_any) *)at = bits;
  else memcpy(at, &bits, count * sizeof(uint16_t));
}

/// 2^n for whole numbers -127 <= n <= 128 in float32: 0 at the one end, infinity at the other.
WAN_INLINE V(vf) V(power_of_two)(V(vi) n) { return (V(vf))((n + 127) << 23); }

/// Adding this and taking it away rounds to a whole number; its low bits then hold that number.
#ifndef WAN_ROUNDER
#define WAN_ROUNDER 12582912.0f
#define WAN_ROUNDER_BITS 0x4B400000
#endif

/// 2^x for x <= 0 (and a little above), zero below 2^-126.5 (2^-150 with AVX-512); relative error below 1e-7.
///
/// The polynomial is the least-maximum-error one of degree 6 for 2^f on |f| <= 1/2 with constant term 1.
WAN_INLINE V(vf) V(exp2)(V(vf) x) {
#if WAN_X86 && WAN_WIDTH == 16
  x = V(max)(V(splat)(-200.0f), x);
  V(vf) n = (V(vf))_mm512_roundscale_ps((__m512)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC), f = x - n;
#else
  x = V(max)(V(splat)(-127.0f), x);
  V(vf) shifted = x + WAN_ROUNDER, f = x - (shifted - WAN_ROUNDER);
#endif
  V(vf) p = V(splat)(0.00015353359f);
  p = V(fma)(p, f, V(splat)(0.0013398875f));
  p = V(fma)(p, f, V(splat)(0.00961843692f));
  p = V(fma)(p, f, V(splat)(0.0555033237f));
  p = V(fma)(p, f, V(splat)(0.240226477f));
  p = V(fma)(p, f, V(splat)(0.693147182f));
  p = V(fma)(p, f, V(splat)(1.0f));
#if WAN_X86 && WAN_WIDTH == 16
  return (V(vf))_mm512_scalef_ps((__m512)p, (__m512)n);
#else
  return p * V(power_of_two)((V(vi))shifted - WAN_ROUNDER_BITS);
#endif
}

#if WAN_PAIRS || WAN_QUADS
/// 2^x, infinity from 2^128 on, zero below 2^-150; relative error below 9e-5: for what is rounded to eight bits.
///
/// The least-maximum-error polynomial of degree 3 for 2^f on 0 <= f < 1 with constant term 1. The instructions split x
/// into its floor and f, infinities too.
WAN_INLINE V(vf) V(rough_exp2)(V(vf) x) {
  V(vf) f = (V(vf))_mm512_reduce_ps((__m512)x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  V(vf) p = V(fma)(V(splat)(0.0770670399f), f, V(splat)(0.227644995f));
  p = V(fma)(V(fma)(p, f, V(splat)(0.695116758f)), f, V(splat)(1.0f));
  return (V(vf))_mm512_scalef_ps((__m512)p, (__m512)x);
}
#endif

/// e^x, zero below e^-87.7 and infinity above e^88.4; relative error about 1e-7.
///
/// x = n ln 2 + r with ln 2 in two parts; then the least-maximum-error polynomial of degree 6 for e^r.
WAN_INLINE V(vf) V(exp)(V(vf) x) {
  x = V(min)(V(splat)(88.8f), V(max)(V(splat)(-88.0f), x));
  V(vf) shifted = V(fma)(x, V(splat)(1.44269504f), V(splat)(WAN_ROUNDER)), n = shifted - WAN_ROUNDER;
  V(vf) r = V(fma)(n, V(splat)(-0.693359375f), x);
  r = V(fma)(n, V(splat)(2.12194440e-4f), r);
  V(vf) p = V(splat)(0.00138436421f);
  p = V(fma)(p, r, V(splat)(0.00837416388f));
  p = V(fma)(p, r, V(splat)(0.0416680016f));
  p = V(fma)(p, r, V(splat)(0.166664317f));
  p = V(fma)(p, r, V(splat)(0.49999994f));
  p = V(fma)(p, r, V(splat)(1.0f));
  p = V(fma)(p, r, V(splat)(1.0f));
  return p * V(power_of_two)((V(vi))shifted - WAN_ROUNDER_BITS);
}

/// ReLU, by which NaN stays NaN; SiLU, and GELU's tanh form as x / (1 + e^-2u): 1 + tanh u = 2 / (1 + e^-2u) without the
/// cancellation. With WAN_PAIRS results are rounded to bfloat16, and the quotient is right to 2e-4.
WAN_INLINE V(vf) V(activation)(V(vf) x, wan_activation_t activation) {
  if (activation == WAN_ACT_NONE) return x;
  if (activation == WAN_ACT_RELU) return V(max)(V(splat)(0.0f), x);
  V(vf) power = -x;
  if (activation == WAN_ACT_GELU) {
    V(vf) cubic = V(fma)(x * x, V(splat)(0.044715f), V(splat)(1.0f));
    power = x * cubic * -1.59576912f;
  }
#if WAN_PAIRS
  V(vf) divisor = V(rough_exp2)(V(min)(V(splat)(200.0f), power * 1.44269504f)) + 1.0f;
  return x * (V(vf))_mm512_rcp14_ps((__m512)divisor);
#else
  return x / (V(exp)(power) + 1.0f);
#endif
}
