#include "wan_kernels.h"

static float widened(uint16_t bits) {
  union { uint32_t bits; float value; } word = {.bits = (uint32_t)bits << 16};
  return word.value;
}

static uint16_t rounded(float value) {
  union { float value; uint32_t bits; } word = {.value = value};
  if (value != value) return (uint16_t)(word.bits >> 16) | 0x40;
  return (uint16_t)((word.bits + 0x7FFF + ((word.bits >> 16) & 1)) >> 16);
}

/// Sums in double, one result at a time: groups are short and the memory is the limit.
void wan_mean_of_groups(const void *src, wan_dtype_t type, void *dst, size_t count, size_t size) {
  for (size_t i = 0; i < count; ++i) {
    double sum = 0;
    for (size_t j = i * size; j < (i + 1) * size; ++j)
      sum += type == WAN_F32 ? ((const float *)src)[j] : widened(((const uint16_t *)src)[j]);
    float mean = (float)(sum / (double)size);
    if (type == WAN_F32) ((float *)dst)[i] = mean;
    else ((uint16_t *)dst)[i] = rounded(mean);
  }
}
