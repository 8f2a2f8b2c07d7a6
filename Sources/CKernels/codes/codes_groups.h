// What a group of 32 codes stands for, in each form; included once per instruction set.
//
// The names of a block's parts are ggml's: d is a block's scale, m that of its smallest numbers, q the codes.
#define WAN_GROUP_VECTORS (32 / WAN_WIDTH)

/// 32 numbers.
typedef struct {
  V(vf) at[WAN_GROUP_VECTORS];
} V(group_t);

/// One group of a row by its place.
typedef V(group_t) (*V(reader_t))(const uint8_t *row, size_t group);

typedef uint8_t V(bytes16) __attribute__((vector_size(16)));
typedef uint8_t V(bytes16_any) __attribute__((vector_size(16), aligned(1), may_alias));
typedef int8_t V(signed_bytes) __attribute__((vector_size(WAN_WIDTH)));
typedef int8_t V(signed_any) __attribute__((vector_size(WAN_WIDTH), aligned(1), may_alias));
typedef uint8_t V(few_bytes) __attribute__((vector_size(WAN_WIDTH)));
typedef uint8_t V(few_any) __attribute__((vector_size(WAN_WIDTH), aligned(1), may_alias));

WAN_INLINE V(bytes16) V(take16)(const uint8_t *from) { return *(const V(bytes16_any) *)from; }

/// 32 codes.
typedef struct {
  V(bytes16) at[2];
} V(codes_t);

// -- small floats -------------------------------------------------------------------------------------------------

/// Floats by their magnitudes, shifted to where float32 has exponent and fraction, and by what float32 adds to their
/// exponents; magnitudes from limit on are infinite or not numbers.
WAN_INLINE V(vf) V(widened)(V(vu) magnitude, V(vu) sign, uint32_t bias, uint32_t limit) {
  const V(vu) hidden = (V(vu)){0} + ((bias + 1) << 23);
  V(vf) normal = (V(vf))(magnitude + (bias << 23)), small = (V(vf))(magnitude + hidden) - (V(vf))hidden;
  V(vf) finite = V(pick)((V(vi))(magnitude < (1u << 23)), small, normal);
  V(vf) endless = (V(vf))(magnitude | 0x7F800000);
  return (V(vf))((V(vu))V(pick)((V(vi))(magnitude >= limit), endless, finite) | sign);
}

/// An IEEE half.
WAN_INLINE float V(half)(const uint8_t *from) {
  uint16_t bits;
  memcpy(&bits, from, sizeof bits);
  V(vu) wide = (V(vu)){0} + (uint32_t)bits;
  return V(widened)((wide & 0x7FFF) << 13, (wide & 0x8000) << 16, 112, 31u << 23)[0];
}

static V(group_t) V(read_f32)(const uint8_t *row, size_t group) {
  V(group_t) y;
  for (size_t i = 0; i < WAN_GROUP_VECTORS; ++i)
    y.at[i] = *(const V(vf_any) *)(row + group * 128 + i * WAN_WIDTH * sizeof(float));
  return y;
}

static V(group_t) V(read_bf16)(const uint8_t *row, size_t group) {
  V(group_t) y;
  for (size_t i = 0; i < WAN_GROUP_VECTORS; ++i)
    y.at[i] = V(widen)(*(const V(vh_any) *)(row + group * 64 + i * WAN_WIDTH * 2));
  return y;
}

static V(group_t) V(read_f16)(const uint8_t *row, size_t group) {
  V(group_t) y;
  for (size_t i = 0; i < WAN_GROUP_VECTORS; ++i) {
    V(vu) wide = __builtin_convertvector(*(const V(vh_any) *)(row + group * 64 + i * WAN_WIDTH * 2), V(vu));
    y.at[i] = V(widened)((wide & 0x7FFF) << 13, (wide & 0x8000) << 16, 112, 31u << 23);
  }
  return y;
}

/// Bytes, wide.
WAN_INLINE V(vu) V(wide)(const uint8_t *from) { return __builtin_convertvector(*(const V(few_any) *)from, V(vu)); }

static V(group_t) V(read_e4m3)(const uint8_t *row, size_t group) {
  V(group_t) y;
  for (size_t i = 0; i < WAN_GROUP_VECTORS; ++i) {
    V(vu) wide = V(wide)(row + group * 32 + i * WAN_WIDTH);
    y.at[i] = V(widened)((wide & 0x7F) << 20, (wide & 0x80) << 24, 120, 0x7Fu << 20);
  }
  return y;
}

static V(group_t) V(read_e5m2)(const uint8_t *row, size_t group) {
  V(group_t) y;
  for (size_t i = 0; i < WAN_GROUP_VECTORS; ++i) {
    V(vu) wide = V(wide)(row + group * 32 + i * WAN_WIDTH);
    y.at[i] = V(widened)((wide & 0x7F) << 21, (wide & 0x80) << 24, 112, 31u << 23);
  }
  return y;
}

// -- whole numbers and their scales -------------------------------------------------------------------------------

/// 32 bytes, moved down and masked.
WAN_INLINE V(codes_t) V(bits)(const uint8_t *from, size_t shift, uint8_t mask) {
  return (V(codes_t)){{V(take16)(from) >> (uint8_t)shift & mask, V(take16)(from + 16) >> (uint8_t)shift & mask}};
}

/// The sums of two groups' codes, with something taken off: parts that share no bits, put together.
WAN_INLINE V(codes_t) V(joined)(V(codes_t) low, V(codes_t) high, uint8_t shift, uint8_t raised) {
  for (size_t i = 0; i < 2; ++i) low.at[i] = (low.at[i] | high.at[i] << shift) - raised;
  return low;
}

WAN_INLINE V(codes_t) V(lowered)(V(codes_t) codes, uint8_t raised) {
  return (V(codes_t)){{codes.at[0] - raised, codes.at[1] - raised}};
}

/// Signed codes as they are.
WAN_INLINE V(group_t) V(numbers)(V(codes_t) codes) {
  V(group_t) y;
  for (size_t i = 0; i < WAN_GROUP_VECTORS; ++i) {
    V(signed_bytes) part;
    memcpy(&part, (const char *)codes.at + i * WAN_WIDTH, sizeof part);
    y.at[i] = __builtin_convertvector(part, V(vf));
  }
  return y;
}

/// Signed codes, each half of which has a scale and something that is taken off.
WAN_INLINE V(group_t) V(scaled)(V(codes_t) codes, const float scales[2], const float least[2]) {
  V(group_t) y = V(numbers)(codes);
  for (size_t i = 0; i < WAN_GROUP_VECTORS; ++i) {
    size_t half = i * WAN_WIDTH / 16;
    y.at[i] = y.at[i] * scales[half];
    if (least) y.at[i] = y.at[i] - least[half];
  }
  return y;
}

WAN_INLINE V(group_t) V(scaled_alike)(V(codes_t) codes, float scale) {
  const float scales[2] = {scale, scale};
  return V(scaled)(codes, scales, NULL);
}

WAN_INLINE V(group_t) V(scaled_above)(V(codes_t) codes, float scale, float least) {
  const float scales[2] = {scale, scale}, leasts[2] = {least, least};
  return V(scaled)(codes, scales, leasts);
}

/// The lower halves of 16 bytes, then the upper ones.
WAN_INLINE V(codes_t) V(nibbles)(const uint8_t *from) {
  return (V(codes_t)){{V(take16)(from) & 15, V(take16)(from) >> 4}};
}

/// The bits of four bytes, one in each of 32.
WAN_INLINE V(codes_t) V(spread_bits)(const uint8_t *from) {
  const V(bytes16) bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  V(codes_t) y;
  for (size_t i = 0; i < 2; ++i, from += 2) {
    V(bytes16) two = {from[0], from[1]};
    two = __builtin_shufflevector(two, two, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
    y.at[i] = (V(bytes16))((two & bit) != 0) & 1;
  }
  return y;
}

/// The entries of a table that 32 codes below 16 name.
WAN_INLINE V(codes_t) V(looked_up)(V(codes_t) places, const int8_t table[16]) {
  uint8_t found[32];
  memcpy(found, places.at, sizeof found);
  for (size_t i = 0; i < 32; ++i) found[i] = (uint8_t)table[found[i]];
  return (V(codes_t)){{V(take16)(found), V(take16)(found + 16)}};
}

static V(group_t) V(read_i8)(const uint8_t *row, size_t group) { return V(numbers)(V(bits)(row + group * 32, 0, 255)); }

/// Two codes a byte, the upper half first. A negative zero is one of them, so that no whole number serves.
static V(group_t) V(read_e2m1)(const uint8_t *row, size_t group) {
  static const float numbers[16] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0.0f, -0.5f, -1, -1.5f, -2, -3, -4, -6};
  float found[32];
  for (size_t i = 0; i < 16; ++i) {
    found[2 * i] = numbers[row[group * 16 + i] >> 4];
    found[2 * i + 1] = numbers[row[group * 16 + i] & 15];
  }
  V(group_t) y;
  memcpy(&y, found, sizeof y);
  return y;
}

// -- blocks of 32 -------------------------------------------------------------------------------------------------

static V(group_t) V(read_q8_0)(const uint8_t *row, size_t group) {
  const uint8_t *block = row + group * 34;
  return V(scaled_alike)(V(bits)(block + 2, 0, 255), V(half)(block));
}

static V(group_t) V(read_q4_0)(const uint8_t *row, size_t group) {
  const uint8_t *block = row + group * 18;
  return V(scaled_alike)(V(lowered)(V(nibbles)(block + 2), 8), V(half)(block));
}

static V(group_t) V(read_q4_1)(const uint8_t *row, size_t group) {
  const uint8_t *block = row + group * 20;
  return V(scaled_above)(V(nibbles)(block + 4), V(half)(block), -V(half)(block + 2));
}

static V(group_t) V(read_q5_0)(const uint8_t *row, size_t group) {
  const uint8_t *block = row + group * 22;
  return V(scaled_alike)(V(joined)(V(nibbles)(block + 6), V(spread_bits)(block + 2), 4, 16), V(half)(block));
}

static V(group_t) V(read_q5_1)(const uint8_t *row, size_t group) {
  const uint8_t *block = row + group * 24;
  return V(scaled_above)(V(joined)(V(nibbles)(block + 8), V(spread_bits)(block + 4), 4, 0), V(half)(block), -V(half)(block + 2));
}

static const int8_t V(iq4)[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

static V(group_t) V(read_iq4_nl)(const uint8_t *row, size_t group) {
  const uint8_t *block = row + group * 18;
  return V(scaled_alike)(V(looked_up)(V(nibbles)(block + 2), V(iq4)), V(half)(block));
}

// -- blocks of 256 ------------------------------------------------------------------------------------------------

/// d; the upper 2 bits of eight scales, the lower 4; the codes.
static V(group_t) V(read_iq4_xs)(const uint8_t *row, size_t group) {
  const uint8_t *block = row + group / 8 * 136;
  const size_t g = group % 8;
  int low = block[4 + g / 2] >> (4 * (g % 2)) & 15, high = block[2 + g / 4] >> (2 * (g % 4)) & 3;
  float scale = V(half)(block) * (float)((low | high << 4) - 32);
  return V(scaled_alike)(V(looked_up)(V(nibbles)(block + 8 + 16 * g), V(iq4)), scale);
}

/// 16 bytes of a scale and a least number, codes of 2 bits, d, m.
static V(group_t) V(read_q2_k)(const uint8_t *row, size_t group) {
  const uint8_t *block = row + group / 8 * 84;
  const size_t g = group % 8;
  float d = V(half)(block + 80), m = V(half)(block + 82), scales[2], least[2];
  for (size_t i = 0; i < 2; ++i) {
    scales[i] = d * (float)(block[2 * g + i] & 15);
    least[i] = m * (float)(block[2 * g + i] >> 4);
  }
  return V(scaled)(V(bits)(block + 16 + g / 4 * 32, 2 * (g % 4), 3), scales, least);
}

/// The third bits of all codes, the other two, sixteen scales of 6 bits, d.
static V(group_t) V(read_q3_k)(const uint8_t *row, size_t group) {
  const uint8_t *block = row + group / 8 * 110;
  const size_t g = group % 8;
  float d = V(half)(block + 108), scales[2];
  for (size_t i = 0; i < 2; ++i) {
    size_t part = 2 * g + i;
    int low = block[96 + part % 8] >> (part < 8 ? 0 : 4) & 15, high = block[104 + part % 4] >> (2 * (part / 4)) & 3;
    scales[i] = d * (float)((low | high << 4) - 32);
  }
  V(codes_t) rest = V(bits)(block + 32 + g / 4 * 32, 2 * (g % 4), 3);
  return V(scaled)(V(joined)(rest, V(bits)(block, g, 1), 2, 4), scales, NULL);
}

/// The scale and the least number, 6 bits each, of one of eight groups: twelve bytes hold all.
WAN_INLINE void V(scale_and_least)(const uint8_t *scales, size_t g, float *scale, float *least) {
  *scale = g < 4 ? scales[g] & 63 : (scales[g + 4] & 15) | (scales[g - 4] >> 6) << 4;
  *least = g < 4 ? scales[g + 4] & 63 : (scales[g + 4] >> 4) | (scales[g] >> 6) << 4;
}

/// d, m, the scales, the codes: the lower halves of 32 bytes are a group.
static V(group_t) V(read_q4_k)(const uint8_t *row, size_t group) {
  const uint8_t *block = row + group / 8 * 144;
  const size_t g = group % 8;
  float scale, least;
  V(scale_and_least)(block + 4, g, &scale, &least);
  V(codes_t) codes = V(bits)(block + 16 + g / 2 * 32, 4 * (g % 2), 15);
  return V(scaled_above)(codes, V(half)(block) * scale, V(half)(block + 2) * least);
}

/// As above, with the fifth bits of all codes in front of the rest.
static V(group_t) V(read_q5_k)(const uint8_t *row, size_t group) {
  const uint8_t *block = row + group / 8 * 176;
  const size_t g = group % 8;
  float scale, least;
  V(scale_and_least)(block + 4, g, &scale, &least);
  V(codes_t) rest = V(bits)(block + 48 + g / 2 * 32, 4 * (g % 2), 15);
  V(codes_t) codes = V(joined)(rest, V(bits)(block + 16, g, 1), 4, 0);
  return V(scaled_above)(codes, V(half)(block) * scale, V(half)(block + 2) * least);
}

/// The lower 4 bits of all codes, the upper 2, sixteen signed scales, d.
static V(group_t) V(read_q6_k)(const uint8_t *row, size_t group) {
  const uint8_t *block = row + group / 8 * 210;
  const size_t g = group % 8, part = g % 4;
  float d = V(half)(block + 208);
  const float scales[2] = {d * (float)(int8_t)block[192 + 2 * g], d * (float)(int8_t)block[193 + 2 * g]};
  V(codes_t) low = V(bits)(block + 64 * (g / 4) + 32 * (part % 2), 4 * (part / 2), 15);
  return V(scaled)(V(joined)(low, V(bits)(block + 128 + 32 * (g / 4), 2 * part, 3), 4, 32), scales, NULL);
}
