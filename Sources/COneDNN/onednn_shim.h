// The part of oneDNN that the CPU backend uses, the same for the 2.x interface (descriptions by value, Debian 12) and
// the 3.x one (opaque descriptions). Everything is row-major; extents and strides are in elements.
//
// A primitive is made once, may run on many threads at a time, and keeps no memory of its own: each run brings its
// scratch. Making and running use as many OpenMP threads as the calling thread asks for, so callers ask for one.
#ifndef WAN_ONEDNN_SHIM_H
#define WAN_ONEDNN_SHIM_H

#include <dlfcn.h>
#include <dnnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef RTLD_DEFAULT
#define WAN_DNN_ANY_LIBRARY RTLD_DEFAULT
#else
#define WAN_DNN_ANY_LIBRARY NULL  // what RTLD_DEFAULT is where the C library hides it
#endif

typedef enum { WAN_DNN_F32 = 0, WAN_DNN_BF16 = 1 } wan_dnn_type_t;

#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t wan_dnn_md_ref_t;
#else
typedef const dnnl_memory_desc_t *wan_dnn_md_ref_t;
#endif

/// A product, convolution or reorder ready to run, with the layouts it chose.
typedef struct {
  dnnl_primitive_t primitive;
  wan_dnn_md_ref_t src, weights, dst, scratch;  // owned by the primitive
  size_t scratch_bytes, weights_bytes;
} wan_dnn_primitive_t;

/// A 2-D convolution without padding over one channels-last image.
typedef struct {
  wan_dnn_type_t type;  // of src and weights; dst is float32
  int64_t height, width, inputs, outputs;
  int64_t kernel_height, kernel_width, stride_height, stride_width;
} wan_dnn_convolution_t;

/// dst[m, n] = src[m, k] weights[n, k]^T, dst float32, weights in a layout of oneDNN's choice.
typedef struct {
  wan_dnn_type_t type;  // of src and weights
  int64_t m, n, k;
} wan_dnn_matmul_t;

/// How a call ended.
typedef enum {
  WAN_DNN_DONE = 0,
  WAN_DNN_REFUSED,    // oneDNN does not offer this
  WAN_DNN_EXHAUSTED,  // the system gives no memory, to oneDNN or to the code that it makes
} wan_dnn_result_t;

/// Whether a call succeeded; what it gave is kept in `last`.
static inline bool wan_dnn_did(dnnl_status_t status, dnnl_status_t *last) {
  *last = status;
  return status == dnnl_success;
}

static inline wan_dnn_result_t wan_dnn_result(bool done, dnnl_status_t last) {
  if (done) return WAN_DNN_DONE;
  return last == dnnl_out_of_memory || last == dnnl_runtime_error ? WAN_DNN_EXHAUSTED : WAN_DNN_REFUSED;
}

static inline int wan_dnn_version_major(void) { return dnnl_version()->major; }
static inline int wan_dnn_version_minor(void) { return dnnl_version()->minor; }
static inline int wan_dnn_version_patch(void) { return dnnl_version()->patch; }

static inline dnnl_data_type_t wan_dnn_type(wan_dnn_type_t type) {
  return type == WAN_DNN_BF16 ? dnnl_bf16 : dnnl_f32;
}

// -- engine and streams: NULL when oneDNN refuses ---------------------------------------------------------------
static inline dnnl_engine_t wan_dnn_engine_create(void) {
  dnnl_engine_t engine = NULL;
  return dnnl_engine_create(&engine, dnnl_cpu, 0) == dnnl_success ? engine : NULL;
}

static inline void wan_dnn_engine_destroy(dnnl_engine_t engine) { dnnl_engine_destroy(engine); }

static inline dnnl_stream_t wan_dnn_stream_create(dnnl_engine_t engine) {
  dnnl_stream_t stream = NULL;
  return dnnl_stream_create(&stream, engine, dnnl_stream_in_order) == dnnl_success ? stream : NULL;
}

static inline void wan_dnn_stream_destroy(dnnl_stream_t stream) { dnnl_stream_destroy(stream); }

// -- memory descriptions ----------------------------------------------------------------------------------------
#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t wan_dnn_md_t;

static inline bool wan_dnn_md_strided(wan_dnn_md_t *md, int rank, const dnnl_dim_t *dims, dnnl_data_type_t type,
                                      const dnnl_dim_t *strides) {
  return dnnl_memory_desc_create_with_strides(md, rank, dims, type, strides) == dnnl_success;
}

static inline bool wan_dnn_md_any(wan_dnn_md_t *md, int rank, const dnnl_dim_t *dims, dnnl_data_type_t type) {
  return dnnl_memory_desc_create_with_tag(md, rank, dims, type, dnnl_format_tag_any) == dnnl_success;
}

static inline bool wan_dnn_md_copy(wan_dnn_md_t *md, wan_dnn_md_ref_t from) {
  return dnnl_memory_desc_clone(md, from) == dnnl_success;
}

static inline void wan_dnn_md_destroy(wan_dnn_md_t *md) {
  if (*md) dnnl_memory_desc_destroy(*md);
}
#define WAN_DNN_MD_EMPTY NULL
#define WAN_DNN_MD_REF(md) (md)
#else
typedef dnnl_memory_desc_t wan_dnn_md_t;

static inline bool wan_dnn_md_strided(wan_dnn_md_t *md, int rank, const dnnl_dim_t *dims, dnnl_data_type_t type,
                                      const dnnl_dim_t *strides) {
  return dnnl_memory_desc_init_by_strides(md, rank, dims, type, strides) == dnnl_success;
}

static inline bool wan_dnn_md_any(wan_dnn_md_t *md, int rank, const dnnl_dim_t *dims, dnnl_data_type_t type) {
  return dnnl_memory_desc_init_by_tag(md, rank, dims, type, dnnl_format_tag_any) == dnnl_success;
}

static inline bool wan_dnn_md_copy(wan_dnn_md_t *md, wan_dnn_md_ref_t from) {
  *md = *from;
  return true;
}

static inline void wan_dnn_md_destroy(wan_dnn_md_t *md) { (void)md; }
#define WAN_DNN_MD_EMPTY { 0 }
#define WAN_DNN_MD_REF(md) (&(md))
#endif

// -- primitives -------------------------------------------------------------------------------------------------
static inline void wan_dnn_primitive_destroy(wan_dnn_primitive_t *made) {
  if (!made) return;
  dnnl_primitive_destroy(made->primitive);
  free(made);
}

/// Builds the primitive and notes its layouts; takes the description's ownership.
static inline wan_dnn_primitive_t *wan_dnn_finish(dnnl_primitive_desc_t description, dnnl_status_t *last) {
  dnnl_primitive_t primitive = NULL;
  const bool created = wan_dnn_did(dnnl_primitive_create(&primitive, description), last);
  dnnl_primitive_desc_destroy(description);
  if (!created) return NULL;
  wan_dnn_primitive_t *made = (wan_dnn_primitive_t *)calloc(1, sizeof *made);
  const_dnnl_primitive_desc_t own = NULL;
  if (!made) *last = dnnl_out_of_memory;
  if (!made || !wan_dnn_did(dnnl_primitive_get_primitive_desc(primitive, &own), last)) {
    free(made);
    dnnl_primitive_destroy(primitive);
    return NULL;
  }
  made->primitive = primitive;
  made->src = dnnl_primitive_desc_query_md(own, dnnl_query_src_md, 0);
  made->weights = dnnl_primitive_desc_query_md(own, dnnl_query_weights_md, 0);
  made->dst = dnnl_primitive_desc_query_md(own, dnnl_query_dst_md, 0);
  made->scratch = dnnl_primitive_desc_query_md(own, dnnl_query_scratchpad_md, 0);
  made->scratch_bytes = made->scratch ? dnnl_memory_desc_get_size(made->scratch) : 0;
  made->weights_bytes = made->weights ? dnnl_memory_desc_get_size(made->weights) : 0;
  return made;
}

/// The name of the implementation that oneDNN chose.
static inline const char *wan_dnn_implementation(const wan_dnn_primitive_t *made) {
  const_dnnl_primitive_desc_t own = NULL;
  const char *name = NULL;
  if (dnnl_primitive_get_primitive_desc(made->primitive, &own) != dnnl_success) return "";
  if (dnnl_primitive_desc_query(own, dnnl_query_impl_info_str, 0, (void *)&name) != dnnl_success) return "";
  return name ? name : "";
}

static inline dnnl_primitive_attr_t wan_dnn_attributes(void) {
  dnnl_primitive_attr_t attributes = NULL;
  if (dnnl_primitive_attr_create(&attributes) != dnnl_success) return NULL;
  if (dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user) == dnnl_success) return attributes;
  dnnl_primitive_attr_destroy(attributes);
  return NULL;
}

/// NULL when oneDNN offers no such product on this machine, or has no memory for it, as `result` says. `like`, if any,
/// is a primitive whose packed weights are to serve this one too.
static inline wan_dnn_primitive_t *wan_dnn_matmul_create(dnnl_engine_t engine, const wan_dnn_matmul_t *shape,
                                                         const wan_dnn_primitive_t *like, wan_dnn_result_t *result) {
  dnnl_status_t last = dnnl_success;
  const dnnl_data_type_t type = wan_dnn_type(shape->type);
  const dnnl_dims_t src_dims = {shape->m, shape->k}, src_strides = {shape->k, 1};
  const dnnl_dims_t weights_dims = {shape->k, shape->n};
  const dnnl_dims_t dst_dims = {shape->m, shape->n}, dst_strides = {shape->n, 1};
  wan_dnn_md_t src = WAN_DNN_MD_EMPTY, weights = WAN_DNN_MD_EMPTY, dst = WAN_DNN_MD_EMPTY;
  dnnl_primitive_attr_t attributes = wan_dnn_attributes();
  dnnl_primitive_desc_t description = NULL;
  wan_dnn_primitive_t *made = NULL;
  bool ok = attributes && wan_dnn_md_strided(&src, 2, src_dims, type, src_strides) &&
            (like ? wan_dnn_md_copy(&weights, like->weights) : wan_dnn_md_any(&weights, 2, weights_dims, type)) &&
            wan_dnn_md_strided(&dst, 2, dst_dims, dnnl_f32, dst_strides);
  if (ok) {
#if DNNL_VERSION_MAJOR >= 3
    ok = wan_dnn_did(
        dnnl_matmul_primitive_desc_create(&description, engine, src, weights, NULL, dst, attributes), &last);
#else
    dnnl_matmul_desc_t operation;
    ok = wan_dnn_did(dnnl_matmul_desc_init(&operation, &src, &weights, NULL, &dst), &last) &&
         wan_dnn_did(dnnl_primitive_desc_create(&description, &operation, attributes, engine, NULL), &last);
#endif
  }
  if (!ok && last == dnnl_success) last = dnnl_out_of_memory;  // a description, which is small, could not be made
  if (ok) made = wan_dnn_finish(description, &last);
  *result = wan_dnn_result(made != NULL, last);
  wan_dnn_md_destroy(&src);
  wan_dnn_md_destroy(&weights);
  wan_dnn_md_destroy(&dst);
  if (attributes) dnnl_primitive_attr_destroy(attributes);
  return made;
}

static inline int64_t wan_dnn_output_extent(int64_t extent, int64_t kernel, int64_t stride) {
  return (extent - kernel) / stride + 1;
}

/// NULL when oneDNN offers no such convolution on this machine, or has no memory for it, as `result` says. `like`, if
/// any, is a primitive whose packed weights are to serve this one too.
static inline wan_dnn_primitive_t *wan_dnn_convolution_create(dnnl_engine_t engine, const wan_dnn_convolution_t *shape,
                                                              const wan_dnn_primitive_t *like,
                                                              wan_dnn_result_t *result) {
  dnnl_status_t last = dnnl_success;
  const dnnl_data_type_t type = wan_dnn_type(shape->type);
  const dnnl_dim_t h = shape->height, w = shape->width, c = shape->inputs, n = shape->outputs;
  const dnnl_dim_t oh = wan_dnn_output_extent(h, shape->kernel_height, shape->stride_height);
  const dnnl_dim_t ow = wan_dnn_output_extent(w, shape->kernel_width, shape->stride_width);
  const dnnl_dims_t src_dims = {1, c, h, w}, src_strides = {h * w * c, 1, w * c, c};
  const dnnl_dims_t weights_dims = {n, c, shape->kernel_height, shape->kernel_width};
  const dnnl_dims_t dst_dims = {1, n, oh, ow}, dst_strides = {oh * ow * n, 1, ow * n, n};
  const dnnl_dims_t strides = {shape->stride_height, shape->stride_width}, none = {0, 0};
  wan_dnn_md_t src = WAN_DNN_MD_EMPTY, weights = WAN_DNN_MD_EMPTY, dst = WAN_DNN_MD_EMPTY;
  dnnl_primitive_attr_t attributes = wan_dnn_attributes();
  dnnl_primitive_desc_t description = NULL;
  bool ok = attributes && wan_dnn_md_strided(&src, 4, src_dims, type, src_strides) &&
            (like ? wan_dnn_md_copy(&weights, like->weights) : wan_dnn_md_any(&weights, 4, weights_dims, type)) &&
            wan_dnn_md_strided(&dst, 4, dst_dims, dnnl_f32, dst_strides);
  if (ok) {
#if DNNL_VERSION_MAJOR >= 3
    ok = wan_dnn_did(dnnl_convolution_forward_primitive_desc_create(
                         &description, engine, dnnl_forward_inference, dnnl_convolution_direct, src, weights, NULL, dst,
                         strides, none, none, none, attributes),
                     &last);
#else
    dnnl_convolution_desc_t operation;
    ok = wan_dnn_did(dnnl_convolution_forward_desc_init(&operation, dnnl_forward_inference, dnnl_convolution_direct,
                                                        &src, &weights, NULL, &dst, strides, none, none),
                     &last) &&
         wan_dnn_did(dnnl_primitive_desc_create(&description, &operation, attributes, engine, NULL), &last);
#endif
  }
  if (!ok && last == dnnl_success) last = dnnl_out_of_memory;  // a description, which is small, could not be made
  wan_dnn_primitive_t *made = ok ? wan_dnn_finish(description, &last) : NULL;
  *result = wan_dnn_result(made != NULL, last);
  wan_dnn_md_destroy(&src);
  wan_dnn_md_destroy(&weights);
  wan_dnn_md_destroy(&dst);
  if (attributes) dnnl_primitive_attr_destroy(attributes);
  return made;
}

/// Runs a product or a convolution; `scratch` holds scratch_bytes on a 64-byte boundary.
static inline wan_dnn_result_t wan_dnn_execute(const wan_dnn_primitive_t *made, dnnl_engine_t engine,
                                               dnnl_stream_t stream, const void *src, const void *weights, void *dst,
                                               void *scratch) {
  dnnl_status_t last = dnnl_success;
  dnnl_memory_t memories[4] = {NULL, NULL, NULL, NULL};
  bool ok = wan_dnn_did(dnnl_memory_create(&memories[0], made->src, engine, (void *)(uintptr_t)src), &last) &&
            wan_dnn_did(dnnl_memory_create(&memories[1], made->weights, engine, (void *)(uintptr_t)weights), &last) &&
            wan_dnn_did(dnnl_memory_create(&memories[2], made->dst, engine, dst), &last);
  int count = 3;
  if (ok && made->scratch_bytes > 0) {
    ok = wan_dnn_did(dnnl_memory_create(&memories[3], made->scratch, engine, scratch), &last);
    count = 4;
  }
  const dnnl_exec_arg_t arguments[4] = {{DNNL_ARG_SRC, memories[0]},
                                        {DNNL_ARG_WEIGHTS, memories[1]},
                                        {DNNL_ARG_DST, memories[2]},
                                        {DNNL_ARG_SCRATCHPAD, memories[3]}};
  ok = ok && wan_dnn_did(dnnl_primitive_execute(made->primitive, stream, count, arguments), &last) &&
       wan_dnn_did(dnnl_stream_wait(stream), &last);
  for (int i = 0; i < 4; i++)
    if (memories[i]) dnnl_memory_destroy(memories[i]);
  return wan_dnn_result(ok, last);
}

/// Copies memory from one layout to another.
static inline wan_dnn_result_t wan_dnn_reorder(dnnl_engine_t engine, dnnl_stream_t stream,
                                               wan_dnn_md_ref_t from_layout, const void *source,
                                               wan_dnn_md_ref_t to_layout, void *target) {
  dnnl_status_t last = dnnl_success;
  dnnl_primitive_desc_t description = NULL;
  dnnl_primitive_t reorder = NULL;
  dnnl_memory_t from = NULL, to = NULL;
  bool ok = wan_dnn_did(
                dnnl_reorder_primitive_desc_create(&description, from_layout, engine, to_layout, engine, NULL),
                &last) &&
            wan_dnn_did(dnnl_primitive_create(&reorder, description), &last) &&
            wan_dnn_did(dnnl_memory_create(&from, from_layout, engine, (void *)(uintptr_t)source), &last) &&
            wan_dnn_did(dnnl_memory_create(&to, to_layout, engine, target), &last);
  if (ok) {
    const dnnl_exec_arg_t arguments[2] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    ok = wan_dnn_did(dnnl_primitive_execute(reorder, stream, 2, arguments), &last) &&
         wan_dnn_did(dnnl_stream_wait(stream), &last);
  }
  if (from) dnnl_memory_destroy(from);
  if (to) dnnl_memory_destroy(to);
  if (reorder) dnnl_primitive_destroy(reorder);
  if (description) dnnl_primitive_desc_destroy(description);
  return wan_dnn_result(ok, last);
}

/// Copies row-major weights [n, k] into the layout that a product chose.
static inline wan_dnn_result_t wan_dnn_pack_matmul(const wan_dnn_primitive_t *made, dnnl_engine_t engine,
                                                   dnnl_stream_t stream, const wan_dnn_matmul_t *shape,
                                                   const void *source, void *packed) {
  const dnnl_dims_t dims = {shape->k, shape->n}, strides = {1, shape->k};
  wan_dnn_md_t plain = WAN_DNN_MD_EMPTY;
  wan_dnn_result_t result = WAN_DNN_EXHAUSTED;
  if (wan_dnn_md_strided(&plain, 2, dims, wan_dnn_type(shape->type), strides))
    result = wan_dnn_reorder(engine, stream, WAN_DNN_MD_REF(plain), source, made->weights, packed);
  wan_dnn_md_destroy(&plain);
  return result;
}

/// Copies float32 row-major weights [outputs, inputs, kh, kw] into the layout and type that a convolution chose.
static inline wan_dnn_result_t wan_dnn_pack_convolution(const wan_dnn_primitive_t *made, dnnl_engine_t engine,
                                                        dnnl_stream_t stream, const wan_dnn_convolution_t *shape,
                                                        const float *source, void *packed) {
  const dnnl_dim_t kh = shape->kernel_height, kw = shape->kernel_width;
  const dnnl_dims_t dims = {shape->outputs, shape->inputs, kh, kw};
  const dnnl_dims_t strides = {shape->inputs * kh * kw, kh * kw, kw, 1};
  wan_dnn_md_t plain = WAN_DNN_MD_EMPTY;
  wan_dnn_result_t result = WAN_DNN_EXHAUSTED;
  if (wan_dnn_md_strided(&plain, 4, dims, dnnl_f32, strides))
    result = wan_dnn_reorder(engine, stream, WAN_DNN_MD_REF(plain), source, made->weights, packed);
  wan_dnn_md_destroy(&plain);
  return result;
}

/// Makes oneDNN run on the calling thread alone when that thread runs it. The OpenMP runtime that came with oneDNN is
/// asked by name, so that it may be any, or none.
static inline void wan_dnn_run_sequentially(void) {
  static void (*volatile set_threads)(int);
  static volatile bool looked_up;
  if (!looked_up) {
    set_threads = (void (*)(int))(uintptr_t)dlsym(WAN_DNN_ANY_LIBRARY, "omp_set_num_threads");
    looked_up = true;
  }
  if (set_threads) set_threads(1);
}

#endif
