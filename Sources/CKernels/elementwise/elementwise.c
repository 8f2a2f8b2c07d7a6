#ifndef WAN_WIDTH
#define WAN_FILE "elementwise.c"
#include "variants.h"

void wan_add_gated(float *x, const void *y, wan_dtype_t y_type, const float *gate, size_t rows, size_t columns) {
  WAN_DISPATCH(add_gated, x, y, y_type, gate, rows, columns);
}

void wan_add(const void *x, wan_dtype_t x_type, const void *y, wan_dtype_t y_type, void *dst, size_t count) {
  WAN_DISPATCH(add, x, x_type, y, y_type, dst, count);
}

void wan_multiply(const void *x, wan_dtype_t x_type, const void *y, wan_dtype_t y_type, void *dst, size_t count) {
  WAN_DISPATCH(multiply, x, x_type, y, y_type, dst, count);
}

void wan_activate(const void *x, wan_dtype_t x_type, void *dst, size_t count, wan_activation_t activation) {
  WAN_DISPATCH(activate, x, x_type, dst, count, activation);
}
#else
static void V(add_gated)(float *x, const void *y, wan_dtype_t y_type, const float *gate, size_t rows, size_t columns) {
  for (size_t r = 0; r < rows; ++r)
    WAN_EACH(c, left, columns, {
      size_t index = r * columns + c;
      V(vf) sum = V(fma)(V(load)(y, y_type, index, left), V(load)(gate, WAN_F32, c, left),
                         V(load)(x, WAN_F32, index, left));
      V(store)(x, WAN_F32, index, left, sum);
    });
}

static void V(add)(const void *x, wan_dtype_t x_type, const void *y, wan_dtype_t y_type, void *dst, size_t count) {
  WAN_EACH(i, n, count,
           V(store)(dst, x_type, i, n, V(load)(x, x_type, i, n) + V(load)(y, y_type, i, n)););
}

static void V(multiply)(const void *x, wan_dtype_t x_type, const void *y, wan_dtype_t y_type, void *dst, size_t count) {
  WAN_EACH(i, n, count,
           V(store)(dst, x_type, i, n, V(load)(x, x_type, i, n) * V(load)(y, y_type, i, n)););
}

static void V(activate)(const void *x, wan_dtype_t x_type, void *dst, size_t count, wan_activation_t activation) {
  WAN_EACH(i, n, count,
           V(store)(dst, x_type, i, n, V(activation)(V(load)(x, x_type, i, n), activation)););
}
#endif
