// Parts of coded matrices for one instruction set.
//
// Products and sums are rounded one after the other, as in the text to compare with.
#pragma clang fp contract(off)
#include "codes_groups.h"

/// The numbers of a group times the factors that lie beside the codes.
static V(group_t) V(with_scales)(const wan_codes_t *codes, size_t row, size_t first, V(group_t) y) {
  const float *scales = codes->scales + row * codes->scales_stride;
  for (size_t i = 0; i < WAN_GROUP_VECTORS; ++i) {
    size_t stretch = wan_smaller((first + i * WAN_WIDTH) / codes->scales_width, codes->scales_count - 1);
    y.at[i] = y.at[i] * scales[stretch];
    y.at[i] = y.at[i] * codes->factor;
  }
  return y;
}

/// One group of a row. Where the row ends within it, and its codes need not be whole blocks, what is missing is zero.
WAN_INLINE V(group_t) V(group)(const wan_codes_t *codes, size_t row, size_t group, V(reader_t) read, size_t bytes) {
  const uint8_t *at = codes->codes + row * codes->row_bytes;
  V(group_t) y;
  if (bytes == 0 || (group + 1) * bytes <= codes->row_bytes) {
    y = read(at, group);
  } else {
    uint8_t rest[32 * sizeof(float)] = {0};
    memcpy(rest, at + group * bytes, codes->row_bytes - group * bytes);
    y = read(rest, 0);
  }
  return codes->scales ? V(with_scales)(codes, row, group * 32, y) : y;
}

/// All groups of a part in numbers of a type.
WAN_INLINE void V(decode_groups)(const wan_codes_t *codes, wan_codes_part_t part, void *dst, wan_dtype_t type,
                                 size_t stride, V(reader_t) read, size_t bytes) {
  for (size_t r = 0; r < part.rows; ++r)
    for (size_t i = 0; i < part.count; i += 32) {
      V(group_t) y = V(group)(codes, part.row + r, (part.first + i) / 32, read, bytes);
      for (size_t v = 0; v < WAN_GROUP_VECTORS && i + v * WAN_WIDTH < part.count; ++v)
        V(store)(dst, type, r * stride + i + v * WAN_WIDTH, part.count - i - v * WAN_WIDTH, y.at[v]);
    }
}

/// All groups of a part, times a factor for each row, as the nearest bytes.
WAN_INLINE void V(decode_groups_to_bytes)(const wan_codes_t *codes, wan_codes_part_t part, const float *factors,
                                          int8_t *dst, size_t stride, V(reader_t) read, size_t bytes) {
  for (size_t r = 0; r < part.rows; ++r)
    for (size_t i = 0; i < part.count; i += 32) {
      V(group_t) y = V(group)(codes, part.row + r, (part.first + i) / 32, read, bytes);
      int8_t to[32];
      for (size_t v = 0; v < WAN_GROUP_VECTORS; ++v) {
        V(vf) scaled = y.at[v] * factors[part.row + r];
        // The low byte of the rounded number's bits is the byte looked for.
        V(vu) bits = (V(vu))(scaled + WAN_ROUNDER);
        *(V(signed_any) *)(to + v * WAN_WIDTH) = __builtin_convertvector(bits, V(signed_bytes));
      }
      memcpy(dst + r * stride + i, to, wan_smaller(32, part.count - i));
    }
}

/// Calls a function with the reader of a form and, where a group of it may be cut short, the bytes of a whole one.
#define WAN_WITH_READER(coding, function, ...)                                    \
  switch (coding) {                                                               \
    case WAN_CODES_F32: function(__VA_ARGS__, V(read_f32), 128); break;           \
    case WAN_CODES_BF16: function(__VA_ARGS__, V(read_bf16), 64); break;          \
    case WAN_CODES_F16: function(__VA_ARGS__, V(read_f16), 64); break;            \
    case WAN_CODES_I8: function(__VA_ARGS__, V(read_i8), 32); break;              \
    case WAN_CODES_E4M3: function(__VA_ARGS__, V(read_e4m3), 32); break;          \
    case WAN_CODES_E5M2: function(__VA_ARGS__, V(read_e5m2), 32); break;          \
    case WAN_CODES_E2M1: function(__VA_ARGS__, V(read_e2m1), 16); break;          \
    case WAN_CODES_Q8_0: function(__VA_ARGS__, V(read_q8_0), 0); break;           \
    case WAN_CODES_Q4_0: function(__VA_ARGS__, V(read_q4_0), 0); break;           \
    case WAN_CODES_Q4_1: function(__VA_ARGS__, V(read_q4_1), 0); break;           \
    case WAN_CODES_Q5_0: function(__VA_ARGS__, V(read_q5_0), 0); break;           \
    case WAN_CODES_Q5_1: function(__VA_ARGS__, V(read_q5_1), 0); break;           \
    case WAN_CODES_IQ4_NL: function(__VA_ARGS__, V(read_iq4_nl), 0); break;       \
    case WAN_CODES_Q2_K: function(__VA_ARGS__, V(read_q2_k), 0); break;           \
    case WAN_CODES_Q3_K: function(__VA_ARGS__, V(read_q3_k), 0); break;           \
    case WAN_CODES_Q4_K: function(__VA_ARGS__, V(read_q4_k), 0); break;           \
    case WAN_CODES_Q5_K: function(__VA_ARGS__, V(read_q5_k), 0); break;           \
    case WAN_CODES_Q6_K: function(__VA_ARGS__, V(read_q6_k), 0); break;           \
    case WAN_CODES_IQ4_XS: function(__VA_ARGS__, V(read_iq4_xs), 0); break;       \
  }

static void V(decode)(const wan_codes_t *codes, wan_codes_part_t part, void *dst, wan_dtype_t type, size_t stride) {
  WAN_WITH_READER(codes->coding, V(decode_groups), codes, part, dst, type, stride)
}

#if !WAN_PAIRS
static void V(decode_bytes)(const wan_codes_t *codes, wan_codes_part_t part, const float *factors, int8_t *dst,
                            size_t stride) {
  WAN_WITH_READER(codes->coding, V(decode_groups_to_bytes), codes, part, factors, dst, stride)
}
#endif
#undef WAN_WITH_READER
#undef WAN_GROUP_VECTORS
