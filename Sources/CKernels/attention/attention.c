// softmax(q k^T) v for one head, a block of keys at a time, with a running softmax (Milakov and Gimelshein, "Online
// normalizer calculation for softmax", https://arxiv.org/abs/1805.02867), so that no matrix of queries by keys is ever held.
//
// wan_attention_pack lays a head's keys and values out once; wan_attention takes blocks of queries through them. Both are
// compiled once per instruction set, from one map:
//
//   variants.h                    goes through the sets, and includes for each of them
//     attention_kernels.h         WAN_SUFFIX, WAN_WIDTH, WAN_PAIRS and WAN_QUADS say which; tile.h gives WAN_TILE_ROWS
//       attention_softmax.h       the running softmax of a tile's queries
//       attention_pack_bytes.h    keys and values as bytes, where WAN_QUADS is set
//       attention_pack.h          keys and values as numbers, where it is not
//       attention_tiles.h         the products of a tile
//       tile_end.h                takes back what tile.h defined
//
//   set             suffix        numbers in one step of a product      defined for it
//   any             _portable     one float32
//   AVX2            _avx2         one float32
//   AVX-512         _avx512       one float32
//   AVX-512-BF16    _avx512_bf16  two bfloat16                          WAN_PAIRS
//   AVX-512-VNNI    _avx512_vnni  four bytes                            WAN_QUADS
#define WAN_FILE "attention_kernels.h"
#define WAN_WITH_PAIRS
#define WAN_WITH_QUADS
#include "variants.h"

static int in_bytes(const wan_attention_head_t *head) {
  return head->in_bytes && head->head_dim <= WAN_BYTES_DIM && wan_has_byte_products();
}

/// How many numbers one product takes.
static size_t per_step(const wan_attention_head_t *head) {
  if (in_bytes(head)) return 4;
  return head->type == WAN_BF16 && wan_isa() == WAN_ISA_AVX512_BF16 ? 2 : 1;
}

size_t wan_attention_packed_bytes(const wan_attention_head_t *head) {
  size_t blocks = (head->keys + WAN_KEY_BLOCK - 1) / WAN_KEY_BLOCK, numbers = per_step(head);
  size_t depth = (head->head_dim + numbers - 1) / numbers, columns = wan_rounded_up(head->head_dim, WAN_WIDEST_PANEL);
  size_t factors = numbers == 4 ? 2 * WAN_KEY_BLOCK + columns : 0;
  return WAN_ALIGNMENT + blocks * (WAN_KEY_BLOCK * (depth + columns / numbers) + factors) * sizeof(float);
}

size_t wan_attention_scratch_bytes(const wan_attention_head_t *head) {
  size_t columns = wan_rounded_up(head->head_dim, WAN_WIDEST_PANEL);
  size_t floats = WAN_KEY_BLOCK + WAN_KEY_BLOCK / 2 + columns + head->head_dim;
  return WAN_ALIGNMENT + wan_query_rows(head->head_dim) * (floats * sizeof(float) + WAN_STATE_BYTES);
}

void wan_attention_pack(const wan_attention_head_t *head, void *packed) {
  WAN_DISPATCH_QUADS(in_bytes(head), attention_pack, head, packed)
  WAN_DISPATCH_PAIRS(head->type, attention_pack, head, packed);
}

void wan_attention(const wan_attention_head_t *head, const void *packed, void *scratch) {
  WAN_DISPATCH_QUADS(in_bytes(head), attention, head, packed, scratch)
  WAN_DISPATCH_PAIRS(head->type, attention, head, packed, scratch);
}
