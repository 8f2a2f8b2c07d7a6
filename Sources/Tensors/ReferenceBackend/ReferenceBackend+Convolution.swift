/// A convolution in plain loops, one row of taps per output channel, rounded to the precision of the product.
private final class ReferenceConvolution: PreparedConvolution {
  let inputs, outputs: Int
  private let precision: Precision
  private let geometry: ConvolutionGeometry
  private let kernel: (time: Int, height: Int, width: Int)
  private let weight: [Float]  // [N, kt, kh, kw, C]
  private let bias: [Float]?  // [N]

  init(_ weight: Tensor, bias: Tensor?, geometry: ConvolutionGeometry, precision: Precision) {
    (outputs, inputs) = (weight.shape[0], weight.shape[1])
    self.geometry = geometry
    kernel = (weight.shape[2], weight.shape[3], weight.shape[4])
    self.precision = precision
    let tapsLast = Tensor(weight.floats(), shape: weight.shape)
    let channelsLast = ReferenceBackend().permuted(tapsLast, [0, 2, 3, 4, 1])
    self.weight = ReferenceMath.rounded(channelsLast.floats(), to: precision)
    self.bias = bias?.floats()
  }

  func callAsFunction(_ x: Tensor, history: Tensor?, activation: Activation, output: DType) -> Tensor {
    precondition(x.shape.rank == 4 && x.shape[3] == inputs, "convolution: x \(x.shape) is not [T, H, W, \(inputs)]")
    let frames = geometry.input == .doubled ? doubled(x) : x
    let input = PaddedFrames(frames, history: history, geometry: geometry, precision: precision)
    let extents = input.outputExtents(kernel: kernel)
    var y: [Float] = []
    y.reserveCapacity(extents.frames * extents.height * extents.width * outputs)
    for t in 0..<extents.frames {
      for row in 0..<extents.height {
        for column in 0..<extents.width {
          y += sums(input.patch(t, row, column, kernel: kernel)).map {
            Float(ReferenceMath.activate(Double($0), activation))
          }
        }
      }
    }
    return Tensor(y, shape: [extents.frames, extents.height, extents.width, outputs], dtype: output)
  }

  /// b + W p for one patch of inputs, [kt, kh, kw, C].
  private func sums(_ patch: [Float]) -> [Float] {
    (0..<outputs).map { n in
      let sum = ReferenceMath.dot(weight, from: n * patch.count, patch, from: 0, count: patch.count)
      return Float(sum + Double(bias?[n] ?? 0))
    }
  }

  /// Each pixel as a square of four: [T, H, W, C] -> [T, 2H, 2W, C].
  private func doubled(_ x: Tensor) -> Tensor {
    let (frames, height, width, channels) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    let values = x.floats()
    var y: [Float] = []
    y.reserveCapacity(4 * values.count)
    for t in 0..<frames {
      for row in 0..<2 * height {
        for column in 0..<2 * width {
          let pixel = ((t * height + row / 2) * width + column / 2) * channels
          y += values[pixel..<pixel + channels]
        }
      }
    }
    return Tensor(y, shape: [frames, 2 * height, 2 * width, channels], dtype: x.dtype)
  }
}

extension ReferenceBackend {
  public func prepare(
    kernel: Tensor, bias: Tensor?, geometry: ConvolutionGeometry, precision: Precision
  ) -> any PreparedConvolution {
    precondition(kernel.shape.rank == 5, "convolution: kernel \(kernel.shape) is not [N, C, kt, kh, kw]")
    precondition(
      bias.map { $0.count == kernel.shape[0] } ?? true,
      "convolution: bias \(bias?.shape ?? []) for kernel \(kernel.shape)")
    return ReferenceConvolution(kernel, bias: bias, geometry: geometry, precision: precision)
  }
}

/// A convolution's input with the zeros and the history around it.
private struct PaddedFrames {
  let geometry: ConvolutionGeometry
  let frames, height, width, channels: Int
  let values: [Float]  // [leading + T, H, W, C]

  init(_ x: Tensor, history: Tensor?, geometry: ConvolutionGeometry, precision: Precision) {
    let known = history?.shape[0] ?? 0
    precondition(
      history.map { $0.shape.rank == 4 && $0.shape.dimensions.dropFirst() == x.shape.dimensions.dropFirst() } ?? true,
      "convolution: history \(history?.shape ?? []) before x \(x.shape)")
    precondition(
      known <= geometry.leadingFrames, "convolution: \(known) frames of history for \(geometry.leadingFrames)")
    self.geometry = geometry
    (frames, height, width) = (geometry.leadingFrames + x.shape[0], x.shape[1], x.shape[2])
    channels = x.shape[3]
    let zeros = [Float](repeating: 0, count: (geometry.leadingFrames - known) * height * width * channels)
    values = ReferenceMath.rounded(zeros + (history?.floats() ?? []) + x.floats(), to: precision)
  }

  func outputExtents(kernel: (time: Int, height: Int, width: Int)) -> (frames: Int, height: Int, width: Int) {
    let padding = geometry.padding
    let paddedHeight = padding.top + height + padding.bottom
    let paddedWidth = padding.left + width + padding.right
    precondition(
      frames >= kernel.time && paddedHeight >= kernel.height && paddedWidth >= kernel.width,
      "convolution: kernel \(kernel) over \(frames) frames of \(paddedHeight) x \(paddedWidth)")
    return (
      (frames - kernel.time) / geometry.strideTime + 1,
      (paddedHeight - kernel.height) / geometry.strideHeight + 1,
      (paddedWidth - kernel.width) / geometry.strideWidth + 1
    )
  }

  /// The inputs of one output position, [kt, kh, kw, C].
  func patch(_ t: Int, _ row: Int, _ column: Int, kernel: (time: Int, height: Int, width: Int)) -> [Float] {
    var patch: [Float] = []
    patch.reserveCapacity(kernel.time * kernel.height * kernel.width * channels)
    for i in 0..<kernel.time {
      for j in 0..<kernel.height {
        for k in 0..<kernel.width {
          let frame = t * geometry.strideTime + i
          let y = row * geometry.strideHeight + j - geometry.padding.top
          let x = column * geometry.strideWidth + k - geometry.padding.left
          if y >= 0 && y < height && x >= 0 && x < width {
            let pixel = ((frame * height + y) * width + x) * channels
            patch += values[pixel..<pixel + channels]
          } else {
            for _ in 0..<channels { patch.append(0) }
          }
        }
      }
    }
    return patch
  }
}
