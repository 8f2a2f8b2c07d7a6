#define WAN_FILE "product_i8_kernels.h"
#ifndef WAN_DOT_PAIRS
#define WAN_DOT_PAIRS(a, b) _mm512_madd_epi16((__m512i)(a), (__m512i)(b))
#endif
#define WAN_QUADS 0
#include "variants.h"
#undef WAN_QUADS

#if WAN_X86
#ifndef WAN_AVX512_VNNI
#define WAN_AVX512_VNNI WAN_AVX512 ",avx512vnni"
#define WAN_DOT_BYTES(sum, a, b) _mm512_dpbusd_epi32((__m512i)(sum), (__m512i)(a), (__m512i)(b))
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

size_t wan_product_i8_scratch_bytes(void) {
  return WAN_ALIGNMENT + (WAN_ROW_BLOCK + WAN_COLUMN_BLOCK) * WAN_ROW_STEPS * sizeof(wan_unit_t);
}

void wan_product_i8(const wan_product_i8_t *p, void *scratch) {
  if (p->depth == 0)
    for (size_t r = 0; r < p->row_count; ++r) memset(p->dst + r * p->dst_stride, 0, p->columns * sizeof *p->dst);
  wan_product_scratch_t parts;
  parts.rows = wan_aligned(scratch);
  parts.panels = parts.rows + WAN_ROW_BLOCK * WAN_ROW_STEPS;
#if WAN_X86
  if (wan_has_byte_products()) {
    product_i8_avx512_vnni(p, &parts);
    return;
  }
#endif
  WAN_DISPATCH(product_i8, p, &parts);
}
