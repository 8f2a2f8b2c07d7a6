// Sums over one row, four vectors of partial sums at a time; included once per instruction set.
WAN_INLINE float V(row_sum)(const float *x, size_t count) {
  V(vf) part[4] = {{0}, {0}, {0}, {0}};
  size_t i = 0;
  for (; i + 4 * WAN_WIDTH <= count; i += 4 * WAN_WIDTH)
    for (int k = 0; k < 4; ++k) part[k] += V(load)(x, WAN_F32, i + k * WAN_WIDTH, WAN_WIDTH);
  for (; i < count; i += WAN_WIDTH) part[0] += V(load)(x, WAN_F32, i, count - i);
  return V(sum)((part[0] + part[1]) + (part[2] + part[3]));
}

/// The sum of (x - centre)^2 over elements index ..< index + count.
WAN_INLINE float V(row_squares)(const void *x, wan_dtype_t type, size_t index, size_t count, float centre) {
  V(vf) part[4] = {{0}, {0}, {0}, {0}};
  size_t i = 0;
  for (; i + 4 * WAN_WIDTH <= count; i += 4 * WAN_WIDTH)
    for (int k = 0; k < 4; ++k) {
      V(vf) d = V(load)(x, type, index + i + k * WAN_WIDTH, WAN_WIDTH) - centre;
      part[k] = V(fma)(d, d, part[k]);
    }
  for (; i + WAN_WIDTH <= count; i += WAN_WIDTH) {
    V(vf) d = V(load)(x, type, index + i, WAN_WIDTH) - centre;
    part[1] = V(fma)(d, d, part[1]);
  }
  float tail = 0;
  for (; i < count; ++i) {
    float d = V(load)(x, type, index + i, 1)[0] - centre;
    tail += d * d;
  }
  return V(sum)((part[0] + part[1]) + (part[2] + part[3])) + tail;
}
