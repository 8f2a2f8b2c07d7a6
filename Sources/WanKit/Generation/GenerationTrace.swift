public import Sampling
public import Tensors

/// The tensors of one run, for comparison with other implementations; the names of the golden files.
public struct GenerationTrace: Sendable {
  /// Prompt and negative prompt as the text encoder gives them: [n, textDimension].
  public var context, contextNull: Tensor?
  /// The noise that was drawn: [C, T, h, w].
  public var noise: Tensor?
  /// What the solver gives at each step, before a known first frame is put back: [C, T, h, w].
  public var latents: [Tensor] = []
  /// The frames in order: [n, H, W, 3] in [-1, 1].
  public var frames: [Tensor] = []
  /// What the model was told before each step, 0...1000.
  public var timesteps: [Float] = []
  /// Noise levels of the schedule, the last one 0: one more than there are steps.
  public var sigmas: [Float] = []
  /// The transformer that ran at each step.
  public var experts: [Expert] = []
  /// Token ids of prompt and negative prompt.
  public var promptIDs, negativeIDs: [Int32]

  /// An empty trace, to be filled while a plan runs.
  public init() {
    (promptIDs, negativeIDs) = ([], [])
  }

  /// Latents of all steps as one tensor [steps, C, T, h, w].
  public var stackedLatents: Tensor? {
    guard let first = latents.first else { return nil }
    return Tensor(latents.flatMap { $0.floats() }, shape: Shape([latents.count] + first.shape.dimensions))
  }

  /// The clip as one tensor [3, F, H, W] in [-1, 1].
  public var video: Tensor? {
    guard let first = frames.first else { return nil }
    let pixels = first.shape[1] * first.shape[2]
    let count = frames.reduce(0) { $0 + $1.shape[0] }
    return Tensor.filled(shape: [3, count, first.shape[1], first.shape[2]]) { video in
      var frame = 0
      for chunk in frames {
        chunk.withSpan(of: Float.self) { values in
          for i in 0..<chunk.shape[0] {
            for pixel in 0..<pixels {
              for channel in 0..<3 {
                video[(channel * count + frame + i) * pixels + pixel] = values[(i * pixels + pixel) * 3 + channel]
              }
            }
          }
        }
        frame += chunk.shape[0]
      }
    }
  }

  /// The tensors under the names that `--save-tensors` writes.
  public var named: [(name: String, tensor: Tensor)] {
    let candidates: [(String, Tensor?)] = [
      ("context", context), ("context_null", contextNull), ("noise", noise), ("latents", stackedLatents),
      ("timesteps", Tensor(timesteps, shape: [timesteps.count])), ("sigmas", Tensor(sigmas, shape: [sigmas.count])),
      ("video", video),
    ]
    return candidates.compactMap { name, tensor in tensor.map { (name, $0) } }
  }
}
