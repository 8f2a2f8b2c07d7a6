public import Tensors

/// Stops a run whose latents, or frames, have become useless, before hours go into the rest of it.
public enum LatentWatchdog {
  /// The largest standard deviation that passes.
  ///
  /// Noise has 1, and the VAE's latents are normalised to 1 by their published mean and deviation; guided steps reach
  /// a few units. Nothing that decodes to a picture comes near a hundred.
  public static let largestDeviation = 100.0

  /// Looks at the latents after a step.
  ///
  /// - Parameters:
  ///   - step: counted from 1.
  ///   - expert: the expert that ran, where the model has several.
  public static func check(_ latents: Tensor, step: Int, expert: String? = nil) throws(SamplingError) {
    var (sum, squares, unusable) = (0.0, 0.0, 0)
    latents.withSpan(of: Float.self) { values in
      for i in values.indices {
        let value = values[i]
        if !value.isFinite { unusable += 1 }
        sum += Double(value)
        squares += Double(value) * Double(value)
      }
    }
    guard unusable == 0 else { throw .notFinite(step: step, expert: expert, count: unusable) }
    let count = Double(max(latents.count, 1))
    let deviation = max(0, squares / count - (sum / count) * (sum / count)).squareRoot()
    guard deviation <= largestDeviation else {
      throw .runaway(step: step, expert: expert, deviation: deviation, limit: largestDeviation)
    }
  }

  /// Looks at decoded frames before they become pictures.
  ///
  /// - Parameters:
  ///   - frames: [n, H, W, 3] float32.
  ///   - first: the number of the first of them in the clip, counted from 1.
  public static func check(frames: Tensor, first: Int) throws(SamplingError) {
    let size = frames.shape.dimensions.dropFirst().reduce(1, *)
    for frame in 0..<frames.shape[0] {
      let unusable = frames[frame].withSpan(of: Float.self) { values in
        var count = 0
        for i in values.indices where !values[i].isFinite { count += 1 }
        return count
      }
      guard unusable == 0 else { throw .frameNotFinite(frame: first + frame, count: unusable, of: size) }
    }
  }
}
