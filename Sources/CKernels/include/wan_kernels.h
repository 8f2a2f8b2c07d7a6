// The kernels of the CPU backend. Shapes and rules stand beside each function.
//
// Every function works on one thread and touches only the rows it is given; the backend splits the work. Each kernel
// that profits has variants (portable, AVX2, AVX-512, AVX-512-BF16), picked at run time by wan_isa().
// bf16 is passed as uint16_t bit patterns and rounded to nearest even. Pointers need no alignment beyond the element.
#ifndef WAN_KERNELS_H
#define WAN_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Instruction sets in rising order.
typedef enum { WAN_ISA_PORTABLE = 0, WAN_ISA_AVX2 = 1, WAN_ISA_AVX512 = 2, WAN_ISA_AVX512_BF16 = 3 } wan_isa_t;

/// The best set this machine has.
wan_isa_t wan_isa_detected(void);
/// The set in use on the calling thread: the detected one unless lowered.
wan_isa_t wan_isa(void);
/// Lowers the set in use on the calling thread; a set above the detected one is ignored.
void wan_isa_limit(wan_isa_t isa);
/// Whether the calling thread's kernels multiply bytes with AVX-512-VNNI: where the machine has it, unless the set in
/// use was lowered.
int wan_has_byte_products(void);

typedef enum { WAN_F32 = 0, WAN_BF16 = 1 } wan_dtype_t;
typedef enum { WAN_ACT_NONE = 0, WAN_ACT_SILU = 1, WAN_ACT_GELU = 2, WAN_ACT_RELU = 3 } wan_activation_t;

// -- rates ------------------------------------------------------------------------------------------------------
typedef enum { WAN_FACTORS_F32, WAN_FACTORS_BF16, WAN_FACTORS_I8 } wan_factors_t;
/// Rounds of independent multiply-adds by the instruction that the products take for such factors, from registers alone.
/// The operations that were done, a product and a sum being two.
double wan_multiply_loop(wan_factors_t factors, size_t rounds);

// -- conversion -------------------------------------------------------------------------------------------------
void wan_widen_bf16(const uint16_t *src, float *dst, size_t count);
void wan_round_bf16(const float *src, uint16_t *dst, size_t count);

// -- codes ------------------------------------------------------------------------------------------------------
/// How matrices are stored: float32, bfloat16, halves, bytes, 8-bit and 4-bit floats, the types of GGUF.
typedef enum {
  WAN_CODES_F32, WAN_CODES_BF16, WAN_CODES_F16, WAN_CODES_I8, WAN_CODES_E4M3, WAN_CODES_E5M2, WAN_CODES_E2M1,
  WAN_CODES_Q8_0, WAN_CODES_Q4_0, WAN_CODES_Q4_1, WAN_CODES_Q5_0, WAN_CODES_Q5_1, WAN_CODES_IQ4_NL,
  WAN_CODES_Q2_K, WAN_CODES_Q3_K, WAN_CODES_Q4_K, WAN_CODES_Q5_K, WAN_CODES_Q6_K, WAN_CODES_IQ4_XS
} wan_coding_t;

typedef struct {
  size_t numbers, bytes;
} wan_codes_block_t;

wan_codes_block_t wan_codes_block(wan_coding_t coding);

/// A matrix of codes: number k of row r stands for the code's number, times scales[r * scales_stride + k / scales_width],
/// times factor, where scales is not NULL.
typedef struct {
  wan_coding_t coding;
  const uint8_t *codes;       // rows of whole blocks, row_bytes apart
  size_t row_bytes;
  const float *scales;
  size_t scales_stride;       // 0 where one row of them serves all
  size_t scales_width;        // a multiple of 16
  size_t scales_count;        // in a row
  float factor;
} wan_codes_t;

/// Numbers first ..< first + count of some rows; first is a multiple of 32.
typedef struct {
  size_t row, rows, first, count;
} wan_codes_part_t;

/// The part's numbers in float32, or rounded to bfloat16, in rows that begin stride elements apart.
void wan_decode(const wan_codes_t *codes, wan_codes_part_t part, void *dst, wan_dtype_t type, size_t stride);
/// The part's numbers times factors[row], a factor for each row of the matrix, rounded to bytes.
void wan_decode_bytes(const wan_codes_t *codes, wan_codes_part_t part, const float *factors, int8_t *dst, size_t stride);
/// Where the block of a number lies.
const void *wan_codes_address(const wan_codes_t *codes, size_t row, size_t number);

// -- products ---------------------------------------------------------------------------------------------------
/// dst[r, n] = (dst[r, n] if adds) + sum over k of rows[r][row_offset + k] * weights[n * weights_stride + k], in float32.
typedef struct {
  const void *const *rows;   // [row_count] addresses, in any order
  wan_dtype_t rows_type;     // bfloat16 with bfloat16 weights, and where wan_isa() is WAN_ISA_AVX512_BF16, only
  size_t row_offset, row_count, columns, depth;
  const void *weights;       // [columns] rows of depth numbers, weights_stride elements apart
  wan_dtype_t weights_type;
  size_t weights_stride;
  const void *next_weights;  // what this thread is likely to multiply next, of the same extents, or NULL
  const wan_codes_t *codes;  // the matrix where it is not numbers, or NULL; panels are decoded to weights_type
  size_t codes_row;          // of codes, where the columns begin; the two above are not used then
  size_t next_codes_row;     // as next_weights, where the codes have so many rows
  float *dst;                // [row_count] rows with room for wan_product_columns(columns), the rest of any content
  size_t dst_stride;
  int adds;
} wan_product_t;

/// columns rounded up to what the kernel writes.
size_t wan_product_columns(size_t columns);
size_t wan_product_scratch_bytes(size_t columns, size_t depth);
/// Some 256 columns at a time keep the laid out weights in the cache. How rows and columns are cut over calls does not
/// change a bit of the result. dst must not have been touched when depth is 0 and adds is not set.
void wan_product(const wan_product_t *product, void *scratch);

/// A 3x3 convolution of stride 1 in tiles of m x m results (m is 2 or 4), which takes 4/9 or 1/4 of the products.
/// Rounding grows with m: some 1e-6 and 1e-5 of the result's size.
typedef struct {
  const float *window;       // pixels [images][height up to a multiple of m, + 2][window_width][channels]
  size_t window_width;       // at least width up to a multiple of m, + 2
  size_t images;             // that are convolved alike, so that a kernel is transformed once for all
  size_t height, width, channels, outputs;
  const void *taps;          // [9][outputs][channels], tap_stride elements between taps
  wan_dtype_t taps_type;
  size_t tap_stride;
  float *dst;                // [images][height][width] pixels of outputs, dst_stride elements apart
  size_t dst_stride;
  size_t m;
} wan_winograd_t;

size_t wan_winograd_scratch_bytes(const wan_winograd_t *winograd);
void wan_winograd(const wan_winograd_t *winograd, void *scratch);

// -- products' epilogue -----------------------------------------------------------------------------------------
/// dst[r, n] = activation(src[r, n] + bias[n]); src float32 with row stride lds, dst with row stride ldd (elements);
/// bias may be NULL; src and dst may be the same float32 memory.
void wan_bias_activation(const float *src, size_t lds, const float *bias, void *dst, wan_dtype_t dst_type, size_t ldd,
                         size_t rows, size_t columns, wan_activation_t activation);

// -- products of bytes ------------------------------------------------------------------------------------------
/// Magnitudes below this count as zero when rows are quantised.
#define WAN_QUANTIZED_LEAST 0x1p-100f

/// Each row [columns] as bytes -127 ... 127 and a scale: scales[r] = max |x| / 127, dst = round(x * (127 / max |x|)),
/// to nearest even. A row whose numbers are all below WAN_QUANTIZED_LEAST is zeros with scale 0; one that holds a NaN
/// or an infinity is zeros with scale NaN. Rows of dst lie dst_stride bytes apart; sums[r], unless sums is NULL, is the
/// sum of a row's bytes.
void wan_quantize_rows(const void *x, wan_dtype_t x_type, int8_t *dst, size_t dst_stride, float *scales, int32_t *sums,
                       size_t rows, size_t columns);
/// The scale that a row would have, and what its numbers would be multiplied by before they are rounded.
void wan_row_scale(const float *x, size_t columns, float *scale, float *factor);

/// dst[r, n] = sum over k of rows[r, k] * weights[n, k], exactly; strides in elements, depth at most 131072.
typedef struct {
  const int8_t *rows;         // [row_count] of depth bytes each
  size_t rows_stride;
  const int32_t *row_sums;    // [row_count], of each row's bytes
  const int8_t *weights;      // [columns] of depth bytes each
  size_t weights_stride;
  const int8_t *next_weights; // what this thread is likely to multiply next, of the same extents, or NULL
  const wan_codes_t *codes;   // the matrix where it is not bytes, or NULL; panels are decoded and rounded to bytes
  const float *factors;       // of codes, for each of their rows
  size_t codes_row;           // of codes, where the columns begin
  size_t codes_first;         // of codes, the number of each row that depth begins with: a multiple of 32
  size_t next_codes_row;      // as next_weights, where the codes have so many rows
  int32_t *dst;
  size_t dst_stride, row_count, columns, depth;
} wan_product_i8_t;

size_t wan_product_i8_scratch_bytes(void);
/// Columns of a multiple of 256 and rows of a multiple of 96 are fastest, where rows do not all begin in the same place
/// of a page.
void wan_product_i8(const wan_product_i8_t *product, void *scratch);
/// dst[r, n] = activation(src[r, n] * row_scales[r] * column_scales[n] + bias[n]) in float32; bias may be NULL; dst
/// must not overlap src.
void wan_scale_bias_activation(const int32_t *src, size_t lds, const float *row_scales, const float *column_scales,
                               const float *bias, void *dst, wan_dtype_t dst_type, size_t ldd, size_t rows,
                               size_t columns, wan_activation_t activation);

// -- norms ------------------------------------------------------------------------------------------------------
/// One run of rows that share scale and shift: dst = (x - mean) / sqrt(var + eps) * scale + shift.
void wan_layer_norm(const float *x, const float *scale, const float *shift, void *dst, wan_dtype_t dst_type,
                    size_t rows, size_t columns, float epsilon);
/// dst = x / sqrt(mean(x^2) + eps) * weight.
void wan_rms_norm(const void *x, wan_dtype_t x_type, const float *weight, void *dst, wan_dtype_t dst_type, size_t rows,
                  size_t columns, float epsilon);
/// Rows of heads * head_dim: RMS norm over the whole row, then the rotation by table[row, head_dim / 2, 2] of each
/// head's interleaved pairs. x and dst share x_type.
void wan_rms_norm_rotary(const void *x, wan_dtype_t x_type, const float *weight, const float *table, void *dst,
                         size_t rows, size_t heads, size_t head_dim, float epsilon);
/// The rotation alone.
void wan_rotary(const void *x, wan_dtype_t x_type, const float *table, void *dst, size_t rows, size_t heads,
                size_t head_dim);
/// dst = activation(x / max(|x|, 1e-12) * sqrt(columns) * gamma); x and dst share x_type.
void wan_channel_norm(const void *x, wan_dtype_t x_type, const float *gamma, void *dst, size_t rows, size_t columns,
                      wan_activation_t activation);

// -- elementwise ------------------------------------------------------------------------------------------------
/// dst[r, c] += y[r, c] * gate[c] for one run of rows that share a gate.
void wan_add_gated(float *x, const void *y, wan_dtype_t y_type, const float *gate, size_t rows, size_t columns);
/// dst = x + y, dst = x * y; dst has x's type.
void wan_add(const void *x, wan_dtype_t x_type, const void *y, wan_dtype_t y_type, void *dst, size_t count);
void wan_multiply(const void *x, wan_dtype_t x_type, const void *y, wan_dtype_t y_type, void *dst, size_t count);
void wan_activate(const void *x, wan_dtype_t x_type, void *dst, size_t count, wan_activation_t activation);
/// dst[i] = mean of src[i * size ..< (i + 1) * size].
void wan_mean_of_groups(const void *src, wan_dtype_t type, void *dst, size_t count, size_t size);

// -- attention --------------------------------------------------------------------------------------------------
/// One head of one batch item. Row r of q is at q + r * q_stride elements (likewise k, v, dst), head_dim elements each.
typedef struct {
  const void *q, *k, *v;
  void *dst;
  wan_dtype_t type;           // of q, k, v and dst
  size_t queries, keys, head_dim;
  size_t q_stride, k_stride, v_stride, dst_stride;
  float scale;
  const float *key_bias;      // [keys] or NULL; may hold -infinity
  const float *relative_bias; // [queries_total + keys - 1] or NULL; entry key - query + queries_total - 1
  size_t query_offset;        // index of query 0 within the whole sequence, for relative_bias
  size_t queries_total;
  int in_bytes;               // whether products may be of bytes; see wan_attention
} wan_attention_head_t;

/// Bytes of scratch that one call may use, and bytes that the packed keys and values of a head take: of the head, its
/// type, keys, head_dim and in_bytes count. The layout depends on wan_isa(), which must not change between packing and
/// use; nor may the packed memory move.
size_t wan_attention_scratch_bytes(const wan_attention_head_t *head);
size_t wan_attention_packed_bytes(const wan_attention_head_t *head);
/// Packs a head's keys and values once for all its query blocks.
void wan_attention_pack(const wan_attention_head_t *head, void *packed);
/// softmax(scale q k^T + biases) v for the head's queries (a block of any size), streaming over blocks of keys with a
/// running maximum; the split of queries over calls does not change a bit of the result. Multiples of 96 queries are
/// fastest. Without keys, or where all biases of a query are -infinity, the result is zero. Logits and sums are
/// float32; with AVX-512-BF16 and bfloat16 inputs the probabilities are rounded to bfloat16 for the product with v.
/// Products are of bytes where they may be, wan_has_byte_products() and head_dim is at most 256. Queries and keys, less
/// their mean, then have a scale per row, values one per dimension and block of 256 keys, and probabilities are 255ths of
/// a query's largest one in the block.
void wan_attention(const wan_attention_head_t *head, const void *packed, void *scratch);

// -- threads ----------------------------------------------------------------------------------------------------
/// A pool of threads that share one parallel loop at a time; the caller is one of them.
typedef struct wan_pool wan_pool_t;
typedef void (*wan_task_t)(void *context, size_t index, size_t worker);

/// A pool of as many threads, or of those that the system gives; NULL when it gives no memory. on_start runs once on
/// every worker thread, first thing.
wan_pool_t *wan_pool_create(size_t threads, void (*on_start)(void));
void wan_pool_destroy(wan_pool_t *pool);
size_t wan_pool_threads(const wan_pool_t *pool);
/// Runs task(context, i, worker) for i in 0 ..< count, each once, on any worker (0 is the caller); returns when all
/// are done. Not reentrant; concurrent callers take turns.
void wan_pool_run(wan_pool_t *pool, size_t count, wan_task_t task, void *context);

#ifdef __cplusplus
}
#endif
#endif
