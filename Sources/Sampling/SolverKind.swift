/// The ways to walk from noise to a clip.
public enum SolverKind: String, CaseIterable, Sendable, Hashable, Codable {
  /// UniPC, order 2 with corrector: the published default.
  case unipc
  /// DPM-Solver++(2M), midpoint.
  case dpmpp = "dpm++"
  /// One Euler step per timestep: what distilled models are made for.
  case euler
}
