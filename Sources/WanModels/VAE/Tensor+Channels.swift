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

  /// Each element held inside `range`, float32; what is infinite becomes NaN, so that it is not taken for a limit.
  func clamped(to range: ClosedRange<Float>) -> Tensor {
    Tensor.filled(shape: shape) { result in
      withSpan(of: Float.self) { x in
        for i in 0..<result.count {
          result[i] = x[i].isFinite ? min(max(x[i], range.lowerBound), range.upperBound) : .nan
        }
      }
    }
  }

  /// A rectangle of frames [T, H, W, C] that cover `region`; the same tensor where that is all of it.
  func cropped(from region: FrameRegion, to part: FrameRegion) -> Tensor {
    if part == region { return self }
    return dtype == .f32 ? cropped(region, part, as: Float.self) : cropped(region, part, as: UInt16.self)
  }

  private func cropped<Element: BitwiseCopyable>(
    _ region: FrameRegion, _ part: FrameRegion, as type: Element.Type
  ) -> Tensor {
    let (height, width, c) = (shape[1], shape[2], shape[3])
    let top = part.rows.lowerBound - region.rows.lowerBound
    let left = part.columns.lowerBound - region.columns.lowerBound
    let row = part.columns.count * c
    return Tensor.filled(
      shape: [shape[0], part.rows.count, part.columns.count, c], dtype: dtype, as: Element.self
    ) { result in
      withSpan(of: Element.self) { x in
        for line in 0..<shape[0] * part.rows.count {
          let (frame, y) = (line / part.rows.count, top + line % part.rows.count)
          let start = ((frame * height + y) * width + left) * c
          for i in 0..<row { result[line * row + i] = x[start + i] }
        }
      }
    }
  }
}
