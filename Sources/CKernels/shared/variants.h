// Compiles WAN_FILE, the file that includes this one, once per instruction set.
//
// A kernel file is two halves. Without WAN_WIDTH it defines WAN_FILE, includes this header, and defines the public
// functions with WAN_DISPATCH. With WAN_WIDTH it holds the kernels, written once on the vectors of vector.h; every
// function name there goes through V(), which appends the set's suffix. A file that defines WAN_WITH_PAIRS has one more
// variant, _avx512_bf16, which is compiled with WAN_PAIRS: its products take pairs of bfloat16. WAN_WITH_QUADS adds
// _avx512_vnni, compiled with WAN_QUADS: there an instruction takes four bytes.
#include <math.h>
#include <string.h>

#include "wan_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define WAN_X86 1
#else
#define WAN_X86 0
#endif

#define WAN_JOIN_(a, b) a##b
#define WAN_JOIN(a, b) WAN_JOIN_(a, b)
#define V(name) WAN_JOIN(name, WAN_SUFFIX)
#define WAN_INLINE static inline __attribute__((always_inline, unused))

/// Opens and closes a stretch of functions compiled for an instruction set.
#define WAN_PRAGMA(text) _Pragma(#text)
#define WAN_TARGET(set) WAN_PRAGMA(clang attribute push(__attribute__((target(set))), apply_to = function))
#define WAN_END _Pragma("clang attribute pop")

/// A build may name narrower sets, to run these variants on a machine without them.
#ifndef WAN_AVX512
#define WAN_AVX512 "avx2,fma,avx512f,avx512dq,avx512bw,avx512vl"
#endif

/// Runs the statement over index ..< index + lanes for vectors of lanes = WAN_WIDTH, then once for the rest.
///
/// Two copies, so that the first has no trace of the second's partial loads and stores.
#define WAN_EACH(index, lanes, count, ...)                                          \
  do {                                                                              \
    size_t index = 0;                                                               \
    for (; index + WAN_WIDTH <= (count); index += WAN_WIDTH) {                      \
      const size_t lanes = WAN_WIDTH;                                               \
      __VA_ARGS__                                                                   \
    }                                                                               \
    if (index < (count)) {                                                          \
      const size_t lanes = (count) - index;                                         \
      __VA_ARGS__                                                                   \
    }                                                                               \
  } while (0)

WAN_INLINE size_t wan_smaller(size_t a, size_t b) { return a < b ? a : b; }

#define WAN_PAIRS 0
#define WAN_QUADS 0

#define WAN_SUFFIX _portable
#define WAN_WIDTH 4
#define WAN_FMA 0
#include "vector.h"
#include WAN_FILE
#undef WAN_SUFFIX
#undef WAN_WIDTH
#undef WAN_FMA

#if WAN_X86
WAN_TARGET("avx2,fma")
#define WAN_SUFFIX _avx2
#define WAN_WIDTH 8
#define WAN_FMA 1
#include "vector.h"
#include WAN_FILE
#undef WAN_SUFFIX
#undef WAN_WIDTH
#undef WAN_FMA
WAN_END

WAN_TARGET(WAN_AVX512)
#define WAN_SUFFIX _avx512
#define WAN_WIDTH 16
#define WAN_FMA 1
#include "vector.h"
#include WAN_FILE
#undef WAN_SUFFIX
#undef WAN_WIDTH
#undef WAN_FMA
WAN_END

#undef WAN_PAIRS
#ifdef WAN_WITH_PAIRS
#ifndef WAN_AVX512_BF16
#define WAN_AVX512_BF16 WAN_AVX512 ",avx512bf16"
#define WAN_DOT_BF16(sum, a, b) (V(vf))_mm512_dpbf16_ps((__m512)(sum), (__m512bh)(a), (__m512bh)(b))
#define WAN_ROUND_BF16(x) _mm512_cvtneps_pbh((__m512)(x))
#endif
WAN_TARGET(WAN_AVX512_BF16)
#define WAN_SUFFIX _avx512_bf16
#define WAN_WIDTH 16
#define WAN_FMA 1
#define WAN_PAIRS 1
#include "vector.h"
#include WAN_FILE
#undef WAN_SUFFIX
#undef WAN_WIDTH
#undef WAN_FMA
#undef WAN_PAIRS
WAN_END
#endif

#define WAN_PAIRS 0
#undef WAN_QUADS
#ifdef WAN_WITH_QUADS
#ifndef WAN_AVX512_VNNI
#define WAN_AVX512_VNNI WAN_AVX512 ",avx512vnni"
/// Four unsigned bytes of a by four signed ones of b.
#define WAN_DOT_BYTES(sum, a, b) (V(vu))_mm512_dpbusd_epi32((__m512i)(sum), (__m512i)(a), (__m512i)(b))
#endif
WAN_TARGET(WAN_AVX512_VNNI)
#define WAN_SUFFIX _avx512_vnni
#define WAN_WIDTH 16
#define WAN_FMA 1
#define WAN_QUADS 1
#include "vector.h"
#include WAN_FILE
#undef WAN_SUFFIX
#undef WAN_WIDTH
#undef WAN_FMA
#undef WAN_QUADS
WAN_END
#endif
#undef WAN_PAIRS

#define WAN_DISPATCH(name, ...)                       \
  switch (wan_isa()) {                                \
    case WAN_ISA_AVX512_BF16:                         \
    case WAN_ISA_AVX512: name##_avx512(__VA_ARGS__); break; \
    case WAN_ISA_AVX2: name##_avx2(__VA_ARGS__); break;     \
    default: name##_portable(__VA_ARGS__); break;     \
  }
#else
#undef WAN_PAIRS
#undef WAN_QUADS
#define WAN_DISPATCH(name, ...) name##_portable(__VA_ARGS__)
#endif

#ifdef WAN_WITH_PAIRS
/// Runs the variant for pairs of bfloat16 where the numbers are that and the set in use has it, else the set's own.
#if WAN_X86
#define WAN_DISPATCH_PAIRS(type, name, ...)                                             \
  if ((type) == WAN_BF16 && wan_isa() == WAN_ISA_AVX512_BF16) name##_avx512_bf16(__VA_ARGS__); \
  else WAN_DISPATCH(name, __VA_ARGS__)
#else
#define WAN_DISPATCH_PAIRS(type, name, ...) WAN_DISPATCH(name, __VA_ARGS__)
#endif
#endif

#ifdef WAN_WITH_QUADS
/// Runs the variant for quads of bytes where it is wanted and the machine has it; otherwise what follows.
#if WAN_X86
#define WAN_DISPATCH_QUADS(wanted, name, ...) \
  if ((wanted) && wan_has_byte_products()) name##_avx512_vnni(__VA_ARGS__); else
#else
#define WAN_DISPATCH_QUADS(wanted, name, ...)
#endif
#endif
