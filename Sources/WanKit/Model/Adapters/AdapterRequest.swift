public import Sampling

/// A LoRA that a request asks for.
public struct AdapterRequest: Sendable, Hashable, Codable {
  /// Its file.
  public var path: String
  /// The factor on its changes; 1 unless given.
  public var strength: Float
  /// The expert that it is for; told by the file or its name unless given, and both where neither tells.
  public var expert: Expert?

  /// Nothing is read before a plan is made.
  public init(path: String, strength: Float = 1, expert: Expert? = nil) {
    (self.path, self.strength, self.expert) = (path, strength, expert)
  }
}
