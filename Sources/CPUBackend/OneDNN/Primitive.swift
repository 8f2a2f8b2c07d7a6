import COneDNN
import Tensors

/// A oneDNN product or convolution for one set of extents.
///
/// `@unchecked Sendable`: immutable, and oneDNN runs a primitive on any number of threads when each brings its scratch.
@safe
final class Primitive: @unchecked Sendable {
  let made: UnsafeMutablePointer<wan_dnn_primitive_t>
  /// The primitive whose weights' layout this one takes over.
  let template: Primitive?

  @unsafe
  init(_ made: UnsafeMutablePointer<wan_dnn_primitive_t>, template: Primitive?) {
    unsafe self.made = made
    self.template = template
  }

  deinit {
    // SAFETY: made by oneDNN for this object alone.
    unsafe wan_dnn_primitive_destroy(made)
  }

  // SAFETY: the fields are written once, when the primitive is made.
  var scratchBytes: Int { unsafe made.pointee.scratch_bytes }
  // SAFETY: as above.
  var weightsBytes: Int { unsafe made.pointee.weights_bytes }

  /// oneDNN's name of the code that runs, such as "gemm:jit" or "brgemm:avx512_core_bf16".
  var implementation: String {
    // SAFETY: the name is a literal of the library.
    unsafe String(cString: wan_dnn_implementation(made))
  }

  /// Runs on the calling worker; the pointers hold what the primitive's layouts describe.
  @unsafe
  func execute(
    _ threads: Threads, _ worker: Worker, src: UnsafeRawPointer, weights: UnsafeRawPointer,
    dst: UnsafeMutableRawPointer, scratch: UnsafeMutableRawPointer
  ) {
    let result = unsafe wan_dnn_execute(made, threads.engine, worker.stream, src, weights, dst, scratch)
    result.check("oneDNN failed to run \(implementation)")
  }
}

extension wan_dnn_result_t {
  /// Ends the process for want of memory; anything else that oneDNN refuses is a mistake of this backend.
  func check(_ failure: @autoclosure () -> String) {
    if self == WAN_DNN_EXHAUSTED { MemoryExhaustion.end() }
    precondition(self == WAN_DNN_DONE, failure())
  }
}
