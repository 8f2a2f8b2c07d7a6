#define WAN_FILE "attention_kernels.h"
#define WAN_WITH_PAIRS
#include "variants.h"

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
  WAN_DISPATCH_PAIRS(head->type, attention_pack, head, packed);
}

void wan_attention(const wan_attention_head_t *head, const void *packed, void *scratch) {
  WAN_DISPATCH_PAIRS(head->type, attention, head, packed, scratch);
}
