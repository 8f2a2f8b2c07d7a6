// Codes of small floats and of blocks with scales as the numbers that they stand for, some of some rows at a time: what a
// product lays out of a matrix that is kept as its file stores it.
//
// Every form is read in groups of 32 numbers, the largest stretch that lies in one piece of all blocks. The numbers are
// exactly those of Tensors' ElementCoding, which is the text to compare with. codes_groups.h has a function for each form.
#define WAN_FILE "codes_kernels.h"
#define WAN_WITH_PAIRS
#include "variants.h"

void wan_decode(const wan_codes_t *codes, wan_codes_part_t part, void *dst, wan_dtype_t type, size_t stride) {
  WAN_DISPATCH_PAIRS(type, decode, codes, part, dst, type, stride);
}

void wan_decode_bytes(const wan_codes_t *codes, wan_codes_part_t part, const float *factors, int8_t *dst,
                      size_t stride) {
  WAN_DISPATCH(decode_bytes, codes, part, factors, dst, stride);
}

const void *wan_codes_address(const wan_codes_t *codes, size_t row, size_t number) {
  const wan_codes_block_t block = wan_codes_block(codes->coding);
  return codes->codes + row * codes->row_bytes + number / block.numbers * block.bytes;
}

wan_codes_block_t wan_codes_block(wan_coding_t coding) {
  static const wan_codes_block_t blocks[] = {
      [WAN_CODES_F32] = {1, 4},      [WAN_CODES_BF16] = {1, 2},     [WAN_CODES_F16] = {1, 2},
      [WAN_CODES_I8] = {1, 1},
      [WAN_CODES_E4M3] = {1, 1},     [WAN_CODES_E5M2] = {1, 1},     [WAN_CODES_E2M1] = {2, 1},
      [WAN_CODES_Q8_0] = {32, 34},   [WAN_CODES_Q4_0] = {32, 18},   [WAN_CODES_Q4_1] = {32, 20},
      [WAN_CODES_Q5_0] = {32, 22},   [WAN_CODES_Q5_1] = {32, 24},   [WAN_CODES_IQ4_NL] = {32, 18},
      [WAN_CODES_Q2_K] = {256, 84},  [WAN_CODES_Q3_K] = {256, 110}, [WAN_CODES_Q4_K] = {256, 144},
      [WAN_CODES_Q5_K] = {256, 176}, [WAN_CODES_Q6_K] = {256, 210}, [WAN_CODES_IQ4_XS] = {256, 136},
  };
  return blocks[coding];
}
