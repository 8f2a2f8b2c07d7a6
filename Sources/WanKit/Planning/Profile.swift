/// Whose rules a request's numbers follow where programs differ: one seed, the same clip as there.
public enum Profile: String, Sendable, Hashable, Codable, CaseIterable {
  /// The published code.
  case wan
  /// diffusers' pipelines (`pipeline_wan.py` and `pipeline_wan_i2v.py`, 0.35 and later): UniPC on another grid, the shift
  /// of the folder's scheduler, no words for an empty negative prompt, guidance only above 1, pictures stretched to the
  /// size that is asked for, and a known first frame that is put into the transformer's input alone.
  case diffusers

  /// What a negative prompt without words stands for.
  var emptyNegativePrompt: String { self == .diffusers ? PublishedPrompts.none : PublishedPrompts.negative }

  /// Whether the negative prompt has a say at all.
  func isGuided(_ guidance: GuidanceScales) -> Bool {
    self == .diffusers ? guidance.high > 1 : guidance.low != 1 || guidance.high != 1
  }
}
