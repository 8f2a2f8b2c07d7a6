public import Tensors
public import WanModels

extension VAETiling {
  /// Bytes that decoding may take: all that somebody asked for; three quarters of what is free, but no less than decoding
  /// takes where nobody says anything, 4 GiB and in float32 twice that.
  public static func budget(_ precision: Precision, within limit: MachineMemory.Limit? = nil) -> Int {
    let usual = precision == .f32 ? 8 << 30 : 4 << 30
    guard let limit else { return usual }
    return limit.bound == .asked ? limit.byteCount : min(limit.byteCount, max(usual, limit.byteCount / 4 * 3))
  }

  /// Most rows or columns that are chosen; a finer tiling would mostly compute margins.
  private static let most = 12

  /// The tiling with the least work that fits a budget, or the smallest where none does.
  ///
  /// - Parameters:
  ///   - latents: [C, T, h, w].
  ///   - traits: of the backend that decodes. 2 latent frames of 704x1280 in 1x4 tiles are estimated at 2.6 GiB and
  ///     peaked at 3.35 on the CPU's, whose overhead is 0.7.
  ///   - budget: bytes for the whole process; ``budget(_:)`` unless given.
  public static func chosen(
    for configuration: VAEConfiguration, latents: Shape, precision: Precision, on traits: BackendTraits,
    budget: Int? = nil
  ) -> VAETiling {
    let budget = (budget ?? self.budget(precision)) - GenerationPlan.process - traits.overhead.total
    func estimate(_ tiling: VAETiling) -> VAEDecodingEstimate {
      VAEDecodingEstimate(configuration, latents: latents, precision: precision, tiling: tiling)
    }
    if estimate(.whole).total <= budget { return .whole }
    let candidates = (1...min(most, latents[2])).flatMap { rows in
      (1...min(most, latents[3])).map { VAETiling(rows: rows, columns: $0) }
    }
    let estimates = candidates.map { (tiling: $0, estimate: estimate($0)) }
    let fitting = estimates.filter { $0.estimate.total <= budget }.min { $0.estimate.work < $1.estimate.work }
    return (fitting ?? estimates.min { $0.estimate.total < $1.estimate.total })?.tiling ?? .whole
  }
}
