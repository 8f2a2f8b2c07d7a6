import CKernels
import COneDNN
import Tensors

/// A kernel's weights, as products of windows of merged pixels take them.
enum WindowWeights {
  /// One piece per block of outputs, in oneDNN's layout.
  case packed([PackedWeights])
  /// [kh kw, padded N, channels] float32 or bfloat16; our kernel lays it out while it multiplies.
  case taps(Tensor)
}

/// The product of one window with one block of a kernel's outputs.
struct WindowProduct {
  private enum Form {
    case packed(Primitive, weights: Tensor)
    case taps(Tensor)
  }

  private let form: Form
  private let key: WindowKey
  private let block: Int

  init(_ weights: WindowWeights, block: Int, _ key: WindowKey, _ primitives: PrimitiveCache, _ threads: Threads) {
    self.key = key
    self.block = block
    switch weights {
    case .taps(let weight): form = .taps(weight)
    case .packed(let pieces):
      let piece = pieces[block]
      let primitive = primitives.window(key, template: piece.template)
      form = .packed(primitive, weights: piece.weights(for: primitive, threads))
    }
  }

  /// Elements between the result's pixels.
  var stride: Int {
    switch form {
    case .packed: key.outputs
    case .taps: wan_product_columns(key.outputs)
    }
  }

  var scratchBytes: Int {
    switch form {
    case .packed(let primitive, _): primitive.scratchBytes
    case .taps: wan_product_scratch_bytes(key.outputs, key.inputs)
    }
  }

  /// Multiplies the window [height, width, inputs] into `dst` [height', width', stride] float32.
  @unsafe
  func execute(
    _ threads: Threads, _ worker: Worker, window: UnsafeMutableRawPointer, dst: UnsafeMutableRawPointer,
    scratch: UnsafeMutableRawPointer
  ) {
    switch form {
    case .packed(let primitive, let weights):
      unsafe primitive.execute(threads, worker, src: window, weights: weights.pointer, dst: dst, scratch: scratch)
    case .taps(let weight):
      unsafe multiply(
        weight, window.assumingMemoryBound(to: Float.self), dst.assumingMemoryBound(to: Float.self), scratch)
    }
  }

  /// One product per point of the kernel, each from the window moved by that point.
  @unsafe
  private func multiply(
    _ weight: Tensor, _ window: UnsafeMutablePointer<Float>, _ dst: UnsafeMutablePointer<Float>,
    _ scratch: UnsafeMutableRawPointer
  ) {
    let (width, channels) = (key.outputWidth, key.inputs)
    let rows = unsafe (0..<key.outputHeight * width).map { pixel in
      let (y, x) = (pixel / width * key.strideHeight, pixel % width * key.strideWidth)
      return unsafe UnsafePointer<Float>?(window + (y * key.width + x) * channels)
    }
    unsafe rows.withUnsafeBufferPointer { rows in
      for point in 0..<key.kernelHeight * key.kernelWidth {
        let (y, x) = (point / key.kernelWidth, point % key.kernelWidth)
        let first = (point * weight.shape[1] + block * key.outputs) * channels
        var product = unsafe wan_product_t(
          rows: rows.baseAddress, row_offset: (y * key.width + x) * channels, row_count: rows.count,
          columns: key.outputs, depth: channels, weights: weight.address(first),
          weights_type: weight.kernelType("convolution"), weights_stride: channels, dst: dst, dst_stride: stride,
          adds: point > 0 ? 1 : 0)
        unsafe wan_product(&product, scratch)
      }
    }
  }
}
