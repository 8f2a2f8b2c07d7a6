#include <stdatomic.h>

#include "wan_kernels.h"

#if defined(__x86_64__)
#include <cpuid.h>

static int has(uint32_t word, int bit) { return (word >> bit) & 1; }

/// The register files that the operating system saves (XCR0).
static uint32_t saved_state(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

static wan_isa_t detect(void) {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return WAN_ISA_PORTABLE;
  int fma = has(c, 12), f16c = has(c, 29), xsave = has(c, 27), avx = has(c, 28);
  if (!xsave || !avx || !fma || !f16c) return WAN_ISA_PORTABLE;
  uint32_t state = saved_state();
  if ((state & 0x06) != 0x06) return WAN_ISA_PORTABLE;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !has(b, 5)) return WAN_ISA_PORTABLE;
  uint32_t leaves = a;
  int f = has(b, 16), dq = has(b, 17), bw = has(b, 30), vl = has(b, 31);
  if (!f || !dq || !bw || !vl || (state & 0xE6) != 0xE6) return WAN_ISA_AVX2;
  int bf16 = leaves >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) && has(a, 5);
  return bf16 ? WAN_ISA_AVX512_BF16 : WAN_ISA_AVX512;
}

/// AVX-512-VNNI, which came before the bfloat16 products in some machines and after them in others.
static int detect_byte_products(void) {
  uint32_t a, b, c, d;
  return detect() >= WAN_ISA_AVX512 && __get_cpuid_count(7, 0, &a, &b, &c, &d) && has(c, 11);
}
#else
static wan_isa_t detect(void) { return WAN_ISA_PORTABLE; }
static int detect_byte_products(void) { return 0; }
#endif

/// One more than the set, so that zero means not looked up yet, or not limited.
static _Atomic int detected, detected_byte_products;
static _Thread_local int limit;

wan_isa_t wan_isa_detected(void) {
  int known = atomic_load_explicit(&detected, memory_order_relaxed);
  if (known == 0) {
    known = (int)detect() + 1;
    atomic_store_explicit(&detected, known, memory_order_relaxed);
  }
  return (wan_isa_t)(known - 1);
}

wan_isa_t wan_isa(void) {
  wan_isa_t best = wan_isa_detected();
  return limit != 0 && limit - 1 < (int)best ? (wan_isa_t)(limit - 1) : best;
}

void wan_isa_limit(wan_isa_t isa) { limit = (int)isa + 1; }

int wan_has_byte_products(void) {
  int known = atomic_load_explicit(&detected_byte_products, memory_order_relaxed);
  if (known == 0) {
    known = detect_byte_products() + 1;
    atomic_store_explicit(&detected_byte_products, known, memory_order_relaxed);
  }
  return known == 2 && wan_isa() == wan_isa_detected();
}
