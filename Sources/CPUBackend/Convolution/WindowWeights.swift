import CKernels
import COneDNN
import Tensors

/// A kernel's weights, as products of windows of merged pixels take them.
enum WindowWeights {
  /// One piece per block of outputs, in oneDNN's layout.
  case packed([PackedWeights])
  /// [kh kw, padded N, channels] float32 or bfloat16; our kernel lays it out while it multiplies.
  case taps(Tensor)

  var isPacked: Bool {
    if case .packed = self { true } else { false }
  }

  /// m of Winograd's F(m x m, 3 x 3) (Lavin and Gray, https://arxiv.org/abs/1509.09308): the side of a square of results
  /// that are computed together, from 4 (m = 2) or 2.25 (m = 4) products per result and channel instead of 9; 1 where the
  /// way there and back costs more than it saves.
  ///
  /// F(4 x 4) moves a result by some 3e-6 of its size: below what bfloat16 rounds away, too much beside float32. It is
  /// computed in float32, and still faster than products of bfloat16; F(2 x 2) is not.
  ///
  /// Never chosen by the number of pixels: a part of a frame must be computed as the whole frame is.
  func tileSize(_ key: WindowKey) -> Int {
    guard case .taps(let weight) = self, key.kernelHeight == 3, key.kernelWidth == 3 else { return 1 }
    guard key.strideHeight == 1, key.strideWidth == 1, key.inputs >= 64, key.outputs >= 64 else { return 1 }
    return weight.dtype == .bf16 ? WindowWeights.largestSquare : 2
  }

  /// The largest m that is used.
  static let largestSquare = 4
}

/// The convolution of windows of one size with one block of a kernel's outputs.
struct WindowProduct {
  private enum Form {
    case packed(Primitive, weights: Tensor)
    case taps(Tensor)
    /// Winograd's way, in squares of `size` by `size` results.
    case tiled(Tensor, size: Int)
  }

  private let form: Form
  private let key: WindowKey
  private let block: Int
  /// Windows that are convolved together; one where oneDNN does it.
  private let images: Int

  init(
    _ weights: WindowWeights, block: Int, _ key: WindowKey, images: Int, _ primitives: PrimitiveCache,
    _ threads: Threads
  ) {
    self.key = key
    self.block = block
    self.images = images
    switch weights {
    case .taps(let weight):
      let size = weights.tileSize(key)
      form = size > 1 ? .tiled(weight, size: size) : .taps(weight)
    case .packed(let pieces):
      let piece = pieces[block]
      let primitive = primitives.window(key, template: piece.template)
      form = .packed(primitive, weights: piece.weights(for: primitive, threads))
    }
  }

  /// The type of the window's numbers.
  var sourceType: DType {
    if case .tiled = form { return .f32 }
    return key.bf16 ? .bf16 : .f32
  }

  /// Rows and columns of pixels that the window must have: more than the key's where results are tiled.
  var windowHeight: Int { key.height + spare(key.outputHeight) }
  var windowWidth: Int { key.width + spare(key.outputWidth) }

  private func spare(_ extent: Int) -> Int {
    if case .tiled(_, let size) = form { (size - extent % size) % size } else { 0 }
  }

  /// Elements between the result's pixels.
  var stride: Int {
    switch form {
    case .packed, .tiled: key.outputs
    case .taps: wan_product_columns(key.outputs)
    }
  }

  var scratchBytes: Int {
    switch form {
    case .packed(let primitive, _): return primitive.scratchBytes
    case .taps: return wan_product_scratch_bytes(key.outputs, key.inputs)
    case .tiled(_, let size):
      // SAFETY: only the extents are read.
      var tiles = unsafe wan_winograd_t()
      unsafe (tiles.images, tiles.height, tiles.width, tiles.m) = (images, key.outputHeight, key.outputWidth, size)
      unsafe (tiles.channels, tiles.outputs) = (key.inputs, key.outputs)
      return unsafe wan_winograd_scratch_bytes(&tiles)
    }
  }

  /// Multiplies the windows [images, windowHeight, windowWidth, inputs] into `dst` [images, height', width', stride]
  /// float32.
  @unsafe
  func execute(
    _ threads: Threads, _ worker: Worker, window: UnsafeMutableRawPointer, dst: UnsafeMutableRawPointer,
    scratch: UnsafeMutableRawPointer
  ) {
    switch form {
    case .packed(let primitive, let weights):
      unsafe primitive.execute(threads, worker, src: window, weights: weights.pointer, dst: dst, scratch: scratch)
    case .taps(let weight):
      unsafe multiply(weight, window, dst.assumingMemoryBound(to: Float.self), scratch)
    case .tiled(let weight, let size):
      var tiles = unsafe wan_winograd_t(
        window: window.assumingMemoryBound(to: Float.self), window_width: windowWidth, images: images,
        height: key.outputHeight, width: key.outputWidth, channels: key.inputs, outputs: key.outputs,
        taps: weight.address(block * key.outputs * key.inputs), taps_type: weight.kernelType("convolution"),
        tap_stride: weight.shape[1] * key.inputs, dst: dst.assumingMemoryBound(to: Float.self), dst_stride: stride,
        m: size)
      unsafe wan_winograd(&tiles, scratch)
    }
  }

  /// One product per point of the kernel, each from the window moved by that point.
  @unsafe
  private func multiply(
    _ weight: Tensor, _ window: UnsafeMutableRawPointer, _ dst: UnsafeMutablePointer<Float>,
    _ scratch: UnsafeMutableRawPointer
  ) {
    let (width, channels) = (key.outputWidth, key.inputs)
    let pixels = key.outputHeight * width
    let rows = unsafe (0..<images * pixels).map { index in
      let (image, pixel) = (index / pixels, index % pixels)
      let y = image * key.height + pixel / width * key.strideHeight
      let x = pixel % width * key.strideWidth
      return unsafe UnsafeRawPointer?(window + (y * key.width + x) * channels * sourceType.byteCount)
    }
    unsafe rows.withUnsafeBufferPointer { rows in
      for point in 0..<key.kernelHeight * key.kernelWidth {
        let (y, x) = (point / key.kernelWidth, point % key.kernelWidth)
        let first = (point * weight.shape[1] + block * key.outputs) * channels
        var product = unsafe wan_product_t(
          rows: rows.baseAddress, rows_type: sourceType.kernelType("convolution"),
          row_offset: (y * key.width + x) * channels, row_count: rows.count,
          columns: key.outputs, depth: channels, weights: weight.address(first),
          weights_type: weight.kernelType("convolution"), weights_stride: channels, next_weights: nil,
          codes: nil, codes_row: 0, next_codes_row: 0, dst: dst,
          dst_stride: stride,
          adds: point > 0 ? 1 : 0)
        unsafe wan_product(&product, scratch)
      }
    }
  }
}
