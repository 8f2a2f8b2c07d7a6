#define WAN_FILE "attention_kernels.h"
#define WAN_PAIRS 0
#include "variants.h"
#undef WAN_PAIRS

#if WAN_X86
#ifndef WAN_AVX512_BF16
#define WAN_AVX512_BF16 WAN_AVX512 ",avx512bf16"
#define WAN_DOT_BF16(sum, a, b) (V(vf))_mm512_dpbf16_ps((__m512)(sum), (__m512bh)(a), (__m512bh)(b))
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

/// Whether this type's products take pairs of bfloat16.
static int takes_pairs(wan_dtype_t type) { return type == WAN_BF16 && wan_isa() == WAN_ISA_AVX512_BF16; }

size_t wan_attention_packed_bytes(wan_dtype_t type, size_t keys, size_t head_dim) {
  size_t blocks = (keys + WAN_KEY_BLOCK - 1) / WAN_KEY_BLOCK, per_step = takes_pairs(type) ? 2 : 1;
  size_t depth = (head_dim + per_step - 1) / per_step;
  size_t columns = wan_rounded_up(head_dim, WAN_WIDEST_PANEL) / per_step;
  return WAN_ALIGNMENT + blocks * WAN_KEY_BLOCK * (depth + columns) * sizeof(float);
}

size_t wan_attention_scratch_bytes(size_t head_dim) {
  size_t columns = wan_rounded_up(head_dim, WAN_WIDEST_PANEL);
  size_t floats = WAN_KEY_BLOCK + WAN_KEY_BLOCK / 2 + columns + head_dim;
  return WAN_ALIGNMENT + wan_query_rows(head_dim) * (floats * sizeof(float) + sizeof(wan_softmax_t));
}

void wan_attention_pack(const wan_attention_head_t *head, void *packed) {
#if WAN_X86
  if (takes_pairs(head->type)) {
    attention_pack_avx512_bf16(head, packed);
    return;
  }
#endif
  WAN_DISPATCH(attention_pack, head, packed);
}

void wan_attention(const wan_attention_head_t *head, const void *packed, void *scratch) {
#if WAN_X86
  if (takes_pairs(head->type)) {
    attention_avx512_bf16(head, packed, scratch);
    return;
  }
#endif
  WAN_DISPATCH(attention, head, packed, scratch);
}
