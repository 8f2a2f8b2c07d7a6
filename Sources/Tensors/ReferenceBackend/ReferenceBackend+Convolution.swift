/// Weights of a convolution, one row of taps per output channel, rounded to the precision of the product.
final class ReferenceConvolutionWeights: ConvolutionWeights {
  let inputs: Int
  let outputs: Int
  let precision: Precision
  let kernel: (time: Int, height: Int, width: Int)
  let weight: [Float]  // [N, kt, kh, kw, C]
  let bias: [Float]?  // [N]

  var taps: Int { kernel.time * kernel.height * kernel.width }

  init(_ weight: Tensor, bias: Tensor?, precision: Precision) {
    precondition(weight.shape.rank == 5, "prepareConvolution: weight \(weight.shape) is not [N, C, kt, kh, kw]")
    precondition(
      bias.map { $0.count == weight.shape[0] } ?? true,
      "prepareConvolution: bias \(bias?.shape ?? []) for weight \(weight.shape)")
    (outputs, inputs) = (weight.shape[0], weight.shape[1])
    kernel = (weight.shape[2], weight.shape[3], weight.shape[4])
    self.precision = precision
    let tapsLast = Tensor(weight.floats(), shape: weight.shape)
    let channelsLast = ReferenceBackend().permuted(tapsLast, [0, 2, 3, 4, 1])
    self.weight = ReferenceMath.rounded(channelsLast.floats(), to: precision)
    self.bias = bias?.floats()
  }

  /// b + W p for one patch of inputs, [kt, kh, kw, C].
  func callAsFunction(_ patch: [Float]) -> [Float] {
    (0..<outputs).map { n in
      let sum = ReferenceMath.dot(weight, from: n * patch.count, patch, from: 0, count: patch.count)
      return Float(sum + Double(bias?[n] ?? 0))
    }
  }
}

extension ReferenceBackend {
  public func prepareConvolution(_ weight: Tensor, bias: Tensor?, precision: Precision) -> any ConvolutionWeights {
    ReferenceConvolutionWeights(weight, bias: bias, precision: precision)
  }

  public func prepareUpsampledConvolution(
    _ weight: Tensor, bias: Tensor?, precision: Precision
  ) -> any ConvolutionWeights {
    precondition(
      Array(weight.shape.dimensions.dropFirst(2)) == [1, 3, 3],
      "prepareUpsampledConvolution: weight \(weight.shape) is not [N, C, 1, 3, 3]")
    return ReferenceConvolutionWeights(weight, bias: bias, precision: precision)
  }

  public func convolution(
    _ x: Tensor, history: Tensor?, _ weights: any ConvolutionWeights, geometry: ConvolutionGeometry, output: DType
  ) -> Tensor {
    guard let w = weights as? ReferenceConvolutionWeights else {
      preconditionFailure("convolution: weights of another backend")
    }
    precondition(
      x.shape.rank == 4 && x.shape[3] == w.inputs, "convolution: x \(x.shape) is not [T, H, W, \(w.inputs)]")
    let input = PaddedFrames(x, history: history, geometry: geometry, precision: w.precision)
    let (frames, height, width) = input.outputExtents(kernel: w.kernel)
    var y: [Float] = []
    y.reserveCapacity(frames * height * width * w.outputs)
    for t in 0..<frames {
      for row in 0..<height {
        for column in 0..<width {
          y += w(input.patch(t, row, column, kernel: w.kernel))
        }
      }
    }
    return Tensor(y, shape: [frames, height, width, w.outputs], dtype: output)
  }

  public func upsampledConvolution(_ x: Tensor, _ weights: any ConvolutionWeights, output: DType) -> Tensor {
    precondition(x.shape.rank == 4, "upsampledConvolution: x \(x.shape) is not [T, H, W, C]")
    return convolution(
      doubled(x), history: nil, weights, geometry: ConvolutionGeometry(padding: .init(all: 1)), output: output)
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
