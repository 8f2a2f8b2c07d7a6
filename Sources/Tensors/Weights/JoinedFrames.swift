// N outputs, F frames, C channels of each, kh x kw points of a kernel.

extension Tensor {
  /// A kernel over frames whose channels are joined, the latest frame's first, as a kernel over time, in float32:
  /// [N, F C, kh, kw] -> [N, C, F, kh, kw], the oldest frame first.
  ///
  /// Without elements, as a survey's, it is a shape alone.
  package func overTime(frames: Int) -> Tensor {
    let (outputs, channels, points) = (shape[0], shape[1] / frames, shape[2] * shape[3])
    let result: Shape = [outputs, channels, frames, shape[2], shape[3]]
    guard isHost else { return OutlineBackend.outline(result, .f32) }
    return converted(to: .f32).withSpan(of: Float.self) { joined in
      Tensor.filled(shape: result) { kernel in
        for row in 0..<outputs * frames * channels {
          let (output, frame, channel) = (row / channels / frames, row / channels % frames, row % channels)
          let target = (output * channels + channel) * frames + frames - 1 - frame
          for point in 0..<points { kernel[target * points + point] = joined[row * points + point] }
        }
      }
    }
  }
}
