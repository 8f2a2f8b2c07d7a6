import Tensors

extension Tensor {
  /// A function of each element and its channel's two constants; channels are the outermost axis, float32.
  func perChannel(_ a: [Float], _ b: [Float], _ f: (Float, Float, Float) -> Float) -> Tensor {
    let size = count / max(shape[0], 1)
    return Tensor.filled(shape: shape) { result in
      withSpan(of: Float.self) { x in
        for channel in 0..<shape[0] {
          for i in channel * size..<(channel + 1) * size { result[i] = f(x[i], a[channel], b[channel]) }
        }
      }
    }
  }

  /// The first `channels` of the innermost axis, float32.
  func leadingChannels(_ channels: Int) -> Tensor {
    let width = shape.last
    return Tensor.filled(shape: shape.replacingLast(channels)) { result in
      withSpan(of: Float.self) { x in
        for i in 0..<result.count { result[i] = x[i / channels * width + i % channels] }
      }
    }
  }

  /// Each element held inside `range`, float32.
  func clamped(to range: ClosedRange<Float>) -> Tensor {
    Tensor.filled(shape: shape) { result in
      withSpan(of: Float.self) { x in
        for i in 0..<result.count { result[i] = min(max(x[i], range.lowerBound), range.upperBound) }
      }
    }
  }
}
