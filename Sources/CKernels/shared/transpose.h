// Turns a square of WAN_WIDTH rows of four-byte units into panels; included once per instruction set.
#if WAN_WIDTH == 8
// In 128-bit lanes first, where a shuffle is one instruction; the halves change places last.
#define WAN_LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define WAN_HIGH(a, b) __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define WAN_LOW_PAIRS(a, b) __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define WAN_HIGH_PAIRS(a, b) __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#define WAN_LOW_HALVES(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define WAN_HIGH_HALVES(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15)

/// to[k * WAN_LANES + n] = x[n][k]
WAN_INLINE void V(transpose)(const V(vf) * x, float *to) {
  V(vf) a[8], b[8];
  for (int i = 0; i < 8; i += 2) a[i] = WAN_LOW(x[i], x[i + 1]), a[i + 1] = WAN_HIGH(x[i], x[i + 1]);
  for (int i = 0; i < 8; i += 4)
    for (int j = 0; j < 2; ++j) {
      b[i + 2 * j] = WAN_LOW_PAIRS(a[i + j], a[i + 2 + j]);
      b[i + 2 * j + 1] = WAN_HIGH_PAIRS(a[i + j], a[i + 2 + j]);
    }
  for (int j = 0; j < 4; ++j) {
    *(V(vf_any) *)(to + j * WAN_LANES) = WAN_LOW_HALVES(b[j], b[4 + j]);
    *(V(vf_any) *)(to + (4 + j) * WAN_LANES) = WAN_HIGH_HALVES(b[j], b[4 + j]);
  }
}
#undef WAN_LOW_PAIRS
#undef WAN_HIGH_PAIRS
#undef WAN_LOW_HALVES
#undef WAN_HIGH_HALVES
#else
#if WAN_WIDTH == 4
#define WAN_LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define WAN_HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#else
#define WAN_LOW(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define WAN_HIGH(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#endif

/// to[k * WAN_LANES + n] = x[n][k]: as many perfect shuffles as the width has bits.
WAN_INLINE void V(transpose)(const V(vf) * x, float *to) {
  V(vf) a[WAN_WIDTH], b[WAN_WIDTH];
  memcpy(a, x, sizeof a);
  for (int width = WAN_WIDTH; width > 1; width /= 2) {
    for (int i = 0; i < WAN_WIDTH / 2; ++i) {
      b[2 * i] = WAN_LOW(a[i], a[i + WAN_WIDTH / 2]);
      b[2 * i + 1] = WAN_HIGH(a[i], a[i + WAN_WIDTH / 2]);
    }
    memcpy(a, b, sizeof a);
  }
  for (int k = 0; k < WAN_WIDTH; ++k) *(V(vf_any) *)(to + k * WAN_LANES) = a[k];
}
#endif
#undef WAN_LOW
#undef WAN_HIGH
