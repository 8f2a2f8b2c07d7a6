public import Foundation

/// What a saved run makes, and of what: all but where it stands.
///
/// Paths are as they were given, relative to the folder that the run was started in; the picture is here whole.
public struct RunRecord: Sendable, Codable {
  /// Told apart from every other run's, so that no state is taken for another run's.
  public let id: UUID
  /// When it was saved first.
  public let started: Date
  /// What was asked for, the seed among it.
  public let request: GenerationRequest
  /// The folder or file that the model was opened by; `nil` where parts name all of it.
  public let model: String?
  /// The parts that were named.
  public let parts: PartPaths
  /// The folder that the run was started in.
  public let folder: String
  /// The clip's name, and whether it was chosen because it was free.
  public let output: Output
  /// Of the solver.
  public let steps: Int
  /// What the result depends on.
  public let fingerprint: RunFingerprint

  /// Where a clip goes.
  public struct Output: Sendable, Hashable, Codable {
    /// As it was given.
    public let path: String
    /// Whether the name was free and nobody asked for it.
    public let isChosen: Bool
    /// Whether the clip tells how it was made.
    public let hasMetadata: Bool

    /// A clip's place.
    public init(path: String, isChosen: Bool, hasMetadata: Bool) {
      (self.path, self.isChosen, self.hasMetadata) = (path, isChosen, hasMetadata)
    }
  }

  /// The record of a plan.
  ///
  /// - Parameters:
  ///   - request: that the plan was made of.
  ///   - model: the path and the parts that the model was opened by.
  ///   - folder: that relative paths begin in.
  public init(
    _ plan: GenerationPlan, of request: GenerationRequest, model: (path: String?, parts: PartPaths), output: Output,
    folder: String, fingerprint: RunFingerprint
  ) {
    (id, started) = (UUID(), Date())
    (self.request, self.model, parts) = (request, model.path, model.parts)
    (self.folder, self.output) = (folder, output)
    (steps, self.fingerprint) = (plan.steps, fingerprint)
  }
}
