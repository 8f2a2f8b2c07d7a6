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
  public func experts(at timesteps: [Float]) -> [Expert] {
    timesteps.map(expert(at:))
  }
}
