/// Why a schedule cannot be made, or why sampling had to stop.
///
/// Of a run whose numbers are lost the error tells where that was found; what to try depends on who runs it.
public enum SamplingError: Error, Sendable, Hashable, CustomStringConvertible {
  /// A number of steps outside 1...``Schedule/largestStepCount``.
  case steps(Int)
  /// A flow shift that is not a finite number above 0.
  case shift(Double)
  /// Float32 cannot tell neighbouring noise levels apart.
  case indistinctSigmas(steps: Int, shift: Double)
  /// A timestep of a custom schedule that is out of order or out of range.
  case timestep(index: Int, value: Float)
  /// A noise level of a custom schedule that is out of order or out of range.
  case sigma(index: Int, value: Float)
  /// A saved state that does not belong to the solver, the schedule or the run.
  case state(String)
  /// `count` of the latents are NaN or infinite after `step`, counted from 1.
  case notFinite(step: Int, expert: String?, count: Int)
  /// The latents' standard deviation after `step`, counted from 1, is that of no clip.
  case runaway(step: Int, expert: String?, deviation: Double, limit: Double)
  /// `count` numbers of a decoded frame, counted from 1, are NaN or infinite, of as many as the frame has.
  case frameNotFinite(frame: Int, count: Int, of: Int)

  public var description: String {
    switch self {
    case .steps(let steps):
      "steps: \(steps) is not a number of steps; give 1 to \(Schedule.largestStepCount)"
    case .shift(let shift):
      "shift: \(shift) is not a flow shift; give a finite number above 0, usually between 1 and 12"
    case .indistinctSigmas(let steps, let shift):
      "shift: \(shift) makes some of \(steps) noise levels equal in float32; give a shift nearer 1 or fewer steps"
    case .timestep(let index, let value):
      "timesteps: entry \(index), \(value), is not below the one before it and within 0 (excluded) to 1000"
    case .sigma(let index, let value):
      "sigmas: entry \(index), \(value), is not below the one before it and within 0 (excluded) to 1"
    case .state(let problem):
      "the saved state does not belong to this run: \(problem)"
    case .notFinite(let step, let expert, let count):
      "step \(step)\(Self.named(expert)): \(count) latent values are NaN or infinite"
    case .runaway(let step, let expert, let deviation, let limit):
      "step \(step)\(Self.named(expert)): the latents' standard deviation has grown to \(deviation), past \(limit); "
        + "lower the guidance, or check that the weights belong to this model"
    case .frameNotFinite(let frame, let count, let all):
      "decoding, frame \(frame): \(count) of its \(all) numbers are NaN or infinite"
    }
  }

  private static func named(_ expert: String?) -> String {
    expert.map { " (\($0) expert)" } ?? ""
  }
}
