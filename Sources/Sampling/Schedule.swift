// Facts: wan/utils/fm_solvers_unipc.py and fm_solvers.py, set_timesteps and get_sampling_sigmas.

/// The noise levels of a run and the timesteps that the model is told.
public struct Schedule: Sendable, Hashable {
  /// Noise levels of N steps, falling from at most 1, then 0: N + 1 numbers.
  public let sigmas: [Float]
  /// What the model is told before each step, in thousandths of the way: N numbers from at most 1000.
  public let timesteps: [Float]
  /// What a run's first noise is multiplied by: 1 as published, the first noise level where a model was distilled so.
  public let noiseScale: Float

  /// As many steps as there are training timesteps.
  public static let largestStepCount = 1000

  /// How often a solver steps: one less than there are noise levels.
  public var steps: Int { timesteps.count }

  /// The published grid of a solver: evenly spaced levels s, warped to k s / (1 + (k - 1) s) by the flow shift k.
  ///
  /// UniPC starts at 0.999 and DPM++ at 1, and both cut timesteps down to whole numbers; Euler starts at 1 and keeps
  /// the fractions, as LCM and ancestral Euler do here. All of it is computed in float64, as published.
  public init(solver: SolverKind, steps: Int, shift: Double) throws(SamplingError) {
    guard (1...Self.largestStepCount).contains(steps) else { throw .steps(steps) }
    let first = solver == .unipc ? Double(0.999 as Float) : 1
    let levels = try Self.warped((0..<steps).map { Double($0) * (-first / Double(steps)) + first }, by: shift)
    let timesteps = levels.map { $0 * 1000 }
    try self.init(
      levels: levels,
      timesteps: solver.isFirstOrder ? timesteps : timesteps.map { $0.rounded(.towardZero) },
      shift: shift)
  }

  /// diffusers' grid for UniPC: levels from 1 towards 1/1000, warped by the flow shift; a first level of 1 is brought
  /// below it, and timesteps are cut down to whole numbers.
  ///
  /// Source: `UniPCMultistepScheduler.set_timesteps` with `use_flow_sigmas`.
  public init(diffusersSteps steps: Int, shift: Double) throws(SamplingError) {
    guard (1...Self.largestStepCount).contains(steps) else { throw .steps(steps) }
    let stride = (1 / 1000.0 - 1) / Double(steps)
    var levels = try Self.warped((0..<steps).map { 1 + Double($0) * stride }, by: shift)
    if abs(levels[0] - 1) < 1e-6 { levels[0] -= 1e-6 }
    try self.init(levels: levels, timesteps: levels.map { ($0 * 1000).rounded(.towardZero) }, shift: shift)
  }

  /// The schedule of a distilled model: its own timesteps, falling from at most 1000, warped by a flow shift.
  ///
  /// 1000, 750, 500, 250 with shift 5 gives 1000, 937.5, 833.33, 625.
  public init(timesteps: [Float], shift: Double = 1) throws(SamplingError) {
    try Self.check(timesteps)
    let levels = try Self.warped(timesteps.map { Double($0) / 1000 }, by: shift)
    try self.init(levels: levels, timesteps: levels.map { $0 * 1000 }, shift: shift)
  }

  /// The schedule of a list of noise levels, falling from at most 1, warped by a flow shift; 0 comes after the last of
  /// them by itself.
  public init(sigmas: [Float], shift: Double = 1) throws(SamplingError) {
    guard (1...Self.largestStepCount).contains(sigmas.count) else { throw .steps(sigmas.count) }
    var previous = Float(1).nextUp
    for (index, value) in sigmas.enumerated() {
      guard value > 0 && value < previous else { throw .sigma(index: index, value: value) }
      previous = value
    }
    let levels = try Self.warped(sigmas.map { Double($0) }, by: shift)
    try self.init(levels: levels, timesteps: levels.map { $0 * 1000 }, shift: shift)
  }

  /// The schedule of a model that is told timesteps as they are, while its noise levels are the nearest of the thousand
  /// that it was trained on, warped by a flow shift.
  ///
  /// Source: `pred_noise_to_pred_video` and `DmdDenoisingStage` of FastVideo, whose shift is 8.
  public init(timesteps: [Float], nearestOfShift shift: Double) throws(SamplingError) {
    try Self.check(timesteps)
    let trained = try Self.warped((1...1000).map { Double($0) / 1000 }, by: shift)
    let levels = timesteps.map { t in
      trained.min { abs($0 * 1000 - Double(t)) < abs($1 * 1000 - Double(t)) } ?? 1
    }
    try self.init(levels: levels, timesteps: timesteps.map { Double($0) }, shift: shift)
  }

  /// The schedule of a consistency model on the quarter circle (TrigFlow): the angle whose tangent is `sigmaMax`, then
  /// the angles given, falling; sigma = sin a / (sin a + cos a), and the run begins with noise times the first sigma.
  ///
  /// Source: TurboDiffusion's `wan2.2_i2v_infer.py` (rCM, https://arxiv.org/abs/2510.08431).
  public init(sigmaMax: Double, angles: [Double]) throws(SamplingError) {
    let levels = ([DoubleMath.arcTangent(sigmaMax)] + angles).map {
      DoubleMath.sine($0) / (DoubleMath.sine($0) + DoubleMath.cosine($0))
    }
    try Self.check(levels.map { Float($0 * 1000) })
    try self.init(levels: levels, timesteps: levels.map { $0 * 1000 }, shift: 1, noiseScale: Float(levels[0]))
  }

  private static func check(_ timesteps: [Float]) throws(SamplingError) {
    guard (1...largestStepCount).contains(timesteps.count) else { throw .steps(timesteps.count) }
    var previous = Float(1000).nextUp
    for (index, value) in timesteps.enumerated() {
      guard value > 0 && value < previous else { throw .timestep(index: index, value: value) }
      previous = value
    }
  }

  private init(
    levels: [Double], timesteps: [Double], shift: Double, noiseScale: Float = 1
  ) throws(SamplingError) {
    sigmas = levels.map { Float($0) } + [0]
    self.timesteps = timesteps.map { Float($0) }
    self.noiseScale = noiseScale
    guard zip(sigmas, sigmas.dropFirst()).allSatisfy({ $0 > $1 }) else {
      throw .indistinctSigmas(steps: levels.count, shift: shift)
    }
  }

  private static func warped(_ levels: [Double], by shift: Double) throws(SamplingError) -> [Double] {
    guard shift.isFinite && shift > 0 else { throw .shift(shift) }
    return levels.map { shift * $0 / (1 + (shift - 1) * $0) }
  }
}

/// One of a model's transformers.
public enum Expert: String, CaseIterable, Sendable, Hashable, Codable {
  /// The single transformer of a model that has no experts.
  case only
  /// For the first steps, while the latents are mostly noise.
  case high
  /// For the rest.
  case low
}

/// Which expert runs at which timestep.
public struct ExpertSchedule: Sendable, Hashable {
  /// Where the experts change, as a part of 1000 timesteps: 0.875 for T2V, 0.9 for I2V; `nil` for a single transformer.
  public let boundary: Double?

  /// - Parameter boundary: from 0 to 1, not checked; `nil` gives ``Expert/only`` at every timestep.
  public init(boundary: Double?) {
    self.boundary = boundary
  }

  /// The high-noise expert from the boundary upwards, the low-noise one below it.
  public func expert(at timestep: Float) -> Expert {
    guard let boundary else { return .only }
    return Double(timestep) >= boundary * 1000 ? .high : .low
  }

  /// The expert of each timestep, in the same order.
  ///
  /// - Parameter switchStep: how many steps the high-noise expert takes, whatever their timesteps; by the boundary where
  ///   it is `nil`. A single transformer has nothing to switch.
  public func experts(at timesteps: [Float], switchStep: Int? = nil) -> [Expert] {
    guard boundary != nil, let switchStep else { return timesteps.map(expert(at:)) }
    return timesteps.indices.map { $0 < switchStep ? .high : .low }
  }
}
