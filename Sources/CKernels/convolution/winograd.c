// Convolutions by 3x3 kernels with fewer products: F(2x2, 3x3) and F(4x4, 3x3) of Lavin and Gray, "Fast Algorithms for
// Convolutional Neural Networks" (2015). Tiles of inputs, kernels and sums are taken to where a convolution is a product
// for each of (m + 2)^2 positions; 4 (m = 2) or 2.25 (m = 4) products per output and input channel instead of 9.
#ifndef WAN_WIDTH
#define WAN_FILE "winograd.c"

enum { WAN_WIDEST_TILE = 6, WAN_CHANNEL_BLOCK = 128, WAN_OUTPUT_BLOCK = 64 };

#include "scratch.h"
#include "wan_kernels.h"

/// The parts of the caller's scratch.
typedef struct {
  float *inputs, *kernels, *sums;  // [position][tile][channel], [position][output][channel], [position][tile][sum]
  const float **rows;              // [position][tile] in inputs
  void *product;
  size_t tiles, tiles_wide, tiles_high, positions, sum_stride;
  size_t input_plane, kernel_plane, sum_plane;  // between positions
} wan_winograd_parts_t;

/// A tile's place.
typedef struct {
  size_t image, top, left;
} wan_winograd_place_t;

static wan_winograd_place_t wan_winograd_place(const wan_winograd_t *w, const wan_winograd_parts_t *parts, size_t tile) {
  size_t row = tile / parts->tiles_wide;
  wan_winograd_place_t place = {row / parts->tiles_high, row % parts->tiles_high * w->m, tile % parts->tiles_wide * w->m};
  return place;
}

/// One line more than the numbers need: a transform writes all positions in turn, and planes that are a power of two
/// apart would put each other out of the caches.
static size_t wan_winograd_plane(size_t numbers) { return wan_rounded_up(numbers, 16) + 16; }

#include "variants.h"

/// Cuts the scratch; with scratch 0, how many bytes it takes.
static size_t wan_winograd_cut(const wan_winograd_t *w, size_t scratch, wan_winograd_parts_t *parts) {
  size_t channels = wan_smaller(w->channels, WAN_CHANNEL_BLOCK), outputs = wan_smaller(w->outputs, WAN_OUTPUT_BLOCK);
  parts->tiles_wide = (w->width + w->m - 1) / w->m;
  parts->tiles_high = (w->height + w->m - 1) / w->m;
  parts->tiles = w->images * parts->tiles_high * parts->tiles_wide;
  parts->positions = (w->m + 2) * (w->m + 2);
  parts->sum_stride = wan_product_columns(wan_rounded_up(w->outputs, WAN_OUTPUT_BLOCK));
  parts->input_plane = wan_winograd_plane(parts->tiles * channels);
  parts->kernel_plane = wan_winograd_plane(outputs * channels);
  parts->sum_plane = wan_winograd_plane(parts->tiles * parts->sum_stride);
  size_t at = wan_rounded_up(scratch, WAN_ALIGNMENT);
#define WAN_TAKE(field, type, bytes) parts->field = (type)at, at = wan_rounded_up(at + (bytes), WAN_ALIGNMENT)
  WAN_TAKE(inputs, float *, parts->positions * parts->input_plane * sizeof(float));
  WAN_TAKE(kernels, float *, parts->positions * parts->kernel_plane * sizeof(float));
  WAN_TAKE(sums, float *, parts->positions * parts->sum_plane * sizeof(float));
  WAN_TAKE(rows, const float **, parts->positions * parts->tiles * sizeof(float *));
  WAN_TAKE(product, void *, wan_product_scratch_bytes(outputs, channels));
#undef WAN_TAKE
  return at - scratch + WAN_ALIGNMENT;
}

size_t wan_winograd_scratch_bytes(const wan_winograd_t *winograd) {
  wan_winograd_parts_t parts;
  return wan_winograd_cut(winograd, 0, &parts);
}

static void winograd_inputs(const wan_winograd_t *w, const wan_winograd_parts_t *parts, size_t channel, size_t count) {
  WAN_DISPATCH(winograd_inputs, w, parts, channel, count);
}

static void winograd_kernels(const wan_winograd_t *w, const wan_winograd_parts_t *parts, size_t output, size_t outputs,
                             size_t channel, size_t count) {
  WAN_DISPATCH(winograd_kernels, w, parts, output, outputs, channel, count);
}

static void winograd_sums(const wan_winograd_t *w, const wan_winograd_parts_t *parts) {
  WAN_DISPATCH(winograd_sums, w, parts);
}

/// One product per position, for some outputs and channels.
static void winograd_products(const wan_winograd_parts_t *parts, size_t output, size_t outputs, size_t channels,
                              int adds) {
  for (size_t position = 0; position < parts->positions; ++position) {
    wan_product_t product = {
        .rows = (const void *const *)(parts->rows + position * parts->tiles),
        .rows_type = WAN_F32,
        .row_count = parts->tiles,
        .columns = outputs,
        .depth = channels,
        .weights = parts->kernels + position * parts->kernel_plane,
        .weights_type = WAN_F32,
        .weights_stride = channels,
        .dst = parts->sums + position * parts->sum_plane + output,
        .dst_stride = parts->sum_stride,
        .adds = adds,
    };
    wan_product(&product, parts->product);
  }
}

void wan_winograd(const wan_winograd_t *w, void *scratch) {
  wan_winograd_parts_t parts;
  wan_winograd_cut(w, (size_t)scratch, &parts);
  for (size_t channel = 0; channel < w->channels; channel += WAN_CHANNEL_BLOCK) {
    size_t channels = wan_smaller(WAN_CHANNEL_BLOCK, w->channels - channel);
    for (size_t i = 0; i < parts.positions * parts.tiles; ++i)
      parts.rows[i] = parts.inputs + i / parts.tiles * parts.input_plane + i % parts.tiles * channels;
    winograd_inputs(w, &parts, channel, channels);
    for (size_t output = 0; output < w->outputs; output += WAN_OUTPUT_BLOCK) {
      size_t outputs = wan_smaller(WAN_OUTPUT_BLOCK, w->outputs - output);
      winograd_kernels(w, &parts, output, outputs, channel, channels);
      winograd_products(&parts, output, outputs, channels, channel > 0);
    }
  }
  winograd_sums(w, &parts);
}
#else
/// B^T d for m + 2 numbers.
WAN_INLINE void V(input_transform)(size_t m, const V(vf) * d, V(vf) * t) {
  if (m == 2) {
    t[0] = d[0] - d[2], t[1] = d[1] + d[2], t[2] = d[2] - d[1], t[3] = d[1] - d[3];
    return;
  }
  V(vf) even = d[4] - d[2] * 4.0f, odd = d[3] - d[1] * 4.0f, far = d[4] - d[2], near = (d[3] - d[1]) * 2.0f;
  t[0] = d[0] * 4.0f - d[2] * 5.0f + d[4];
  t[1] = even + odd, t[2] = even - odd;
  t[3] = far + near, t[4] = far - near;
  t[5] = d[1] * 4.0f - d[3] * 5.0f + d[5];
}

/// G g for three numbers.
WAN_INLINE void V(kernel_transform)(size_t m, const V(vf) * g, V(vf) * u) {
  V(vf) ends = g[0] + g[2];
  if (m == 2) {
    u[0] = g[0], u[1] = (ends + g[1]) * 0.5f, u[2] = (ends - g[1]) * 0.5f, u[3] = g[2];
    return;
  }
  V(vf) far = g[0] * (1.0f / 24) + g[2] * (1.0f / 6), middle = g[1] * (1.0f / 12);
  u[0] = g[0] * 0.25f;
  u[1] = (ends + g[1]) * (-1.0f / 6), u[2] = (ends - g[1]) * (-1.0f / 6);
  u[3] = far + middle, u[4] = far - middle;
  u[5] = g[2];
}

/// A^T s for m + 2 numbers.
WAN_INLINE void V(sum_transform)(size_t m, const V(vf) * s, V(vf) * y) {
  V(vf) near = s[1] + s[2], nearer = s[1] - s[2];
  if (m == 2) {
    y[0] = s[0] + near, y[1] = nearer - s[3];
    return;
  }
  V(vf) far = s[3] + s[4], farther = (s[3] - s[4]) * 2.0f;
  y[0] = s[0] + near + far, y[1] = nearer + farther;
  y[2] = near + far * 4.0f, y[3] = nearer + farther * 4.0f + s[5];
}

/// Both ways: rows, then columns. from [rows][size] and to [result][result], a vector each.
#define WAN_BOTH_WAYS(transform, m, from, size, to, result)                    \
  do {                                                                         \
    V(vf) half[WAN_WIDEST_TILE][WAN_WIDEST_TILE], column[WAN_WIDEST_TILE];     \
    V(vf) turned[WAN_WIDEST_TILE];                                             \
    for (size_t y = 0; y < size; ++y) V(transform)(m, from[y], half[y]);       \
    for (size_t x = 0; x < result; ++x) {                                      \
      for (size_t y = 0; y < size; ++y) column[y] = half[y][x];                \
      V(transform)(m, column, turned);                                         \
      for (size_t y = 0; y < result; ++y) to[y][x] = turned[y];                \
    }                                                                          \
  } while (0)

WAN_INLINE void V(inputs_of)(const wan_winograd_t *w, const wan_winograd_parts_t *parts, size_t channel, size_t count,
                             size_t m) {
  const size_t size = m + 2, distance = parts->input_plane, window_height = parts->tiles_high * m + 2;
  for (size_t tile = 0; tile < parts->tiles; ++tile) {
    wan_winograd_place_t at = wan_winograd_place(w, parts, tile);
    size_t pixel = (at.image * window_height + at.top) * w->window_width + at.left;
    const float *corner = w->window + pixel * w->channels + channel;
    float *to = parts->inputs + tile * count;
    WAN_EACH(c, n, count, {
      V(vf) d[WAN_WIDEST_TILE][WAN_WIDEST_TILE], t[WAN_WIDEST_TILE][WAN_WIDEST_TILE];
      for (size_t y = 0; y < size; ++y)
        for (size_t x = 0; x < size; ++x)
          d[y][x] = V(load)(corner, WAN_F32, (y * w->window_width + x) * w->channels + c, n);
      WAN_BOTH_WAYS(input_transform, m, d, size, t, size);
      for (size_t y = 0; y < size; ++y)
        for (size_t x = 0; x < size; ++x) V(store)(to, WAN_F32, (y * size + x) * distance + c, n, t[y][x]);
    });
  }
}

WAN_INLINE void V(kernels_of)(const wan_winograd_t *w, const wan_winograd_parts_t *parts, size_t output, size_t outputs,
                              size_t channel, size_t count, size_t m) {
  const size_t size = m + 2, distance = parts->kernel_plane;
  for (size_t n = 0; n < outputs; ++n) {
    size_t from = (output + n) * w->channels + channel;
    float *to = parts->kernels + n * count;
    WAN_EACH(c, live, count, {
      V(vf) g[3][3], u[WAN_WIDEST_TILE][WAN_WIDEST_TILE], half[3][WAN_WIDEST_TILE], column[3], turned[WAN_WIDEST_TILE];
      for (size_t tap = 0; tap < 9; ++tap)
        g[tap / 3][tap % 3] = V(load)(w->taps, w->taps_type, tap * w->tap_stride + from + c, live);
      for (size_t y = 0; y < 3; ++y) V(kernel_transform)(m, g[y], half[y]);
      for (size_t x = 0; x < size; ++x) {
        for (size_t y = 0; y < 3; ++y) column[y] = half[y][x];
        V(kernel_transform)(m, column, turned);
        for (size_t y = 0; y < size; ++y) u[y][x] = turned[y];
      }
      for (size_t y = 0; y < size; ++y)
        for (size_t x = 0; x < size; ++x) V(store)(to, WAN_F32, (y * size + x) * distance + c, live, u[y][x]);
    });
  }
}

WAN_INLINE void V(sums_of)(const wan_winograd_t *w, const wan_winograd_parts_t *parts, size_t m) {
  const size_t size = m + 2, distance = parts->sum_plane;
  for (size_t tile = 0; tile < parts->tiles; ++tile) {
    wan_winograd_place_t at = wan_winograd_place(w, parts, tile);
    size_t pixel = (at.image * w->height + at.top) * w->width + at.left;
    const float *from = parts->sums + tile * parts->sum_stride;
    WAN_EACH(c, n, w->outputs, {
      V(vf) s[WAN_WIDEST_TILE][WAN_WIDEST_TILE], pixels[WAN_WIDEST_TILE][WAN_WIDEST_TILE];
      for (size_t i = 0; i < size; ++i)
        for (size_t j = 0; j < size; ++j) s[i][j] = V(load)(from, WAN_F32, (i * size + j) * distance + c, n);
      WAN_BOTH_WAYS(sum_transform, m, s, size, pixels, m);
      for (size_t i = 0; i < m && at.top + i < w->height; ++i)
        for (size_t j = 0; j < m && at.left + j < w->width; ++j)
          V(store)(w->dst, WAN_F32, (pixel + i * w->width + j) * w->dst_stride + c, n, pixels[i][j]);
    });
  }
}
#undef WAN_BOTH_WAYS

// The tile's size is a constant in each branch, so that the transforms are straight code.
static void V(winograd_inputs)(const wan_winograd_t *w, const wan_winograd_parts_t *parts, size_t channel, size_t count) {
  if (w->m == 2) V(inputs_of)(w, parts, channel, count, 2);
  else V(inputs_of)(w, parts, channel, count, 4);
}

static void V(winograd_kernels)(const wan_winograd_t *w, const wan_winograd_parts_t *parts, size_t output,
                                size_t outputs, size_t channel, size_t count) {
  if (w->m == 2) V(kernels_of)(w, parts, output, outputs, channel, count, 2);
  else V(kernels_of)(w, parts, output, outputs, channel, count, 4);
}

static void V(winograd_sums)(const wan_winograd_t *w, const wan_winograd_parts_t *parts) {
  if (w->m == 2) V(sums_of)(w, parts, 2);
  else V(sums_of)(w, parts, 4);
}
#endif
