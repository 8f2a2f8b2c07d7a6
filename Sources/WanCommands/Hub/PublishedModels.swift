import Hub

/// The models that Wan-AI publishes, by the names of their families.
enum PublishedModels {
  /// The short names in the order of ``WanKit/ModelFamily``, and the models that they stand for.
  static let all = [
    ("t2v-a14b", "Wan-AI/Wan2.2-T2V-A14B"), ("i2v-a14b", "Wan-AI/Wan2.2-I2V-A14B"),
    ("ti2v-5b", "Wan-AI/Wan2.2-TI2V-5B"),
  ]

  /// The model that a short name, in either case, or `OWNER/NAME` means; `nil` for what is neither.
  static func name(_ text: String) -> RepositoryName? {
    if let published = all.first(where: { $0.0 == text.lowercased() }) { return RepositoryName(published.1) }
    return RepositoryName(text).flatMap { $0.hasOwner ? $0 : nil }
  }

  /// The shortest words that a person may use for a model.
  static func word(for name: RepositoryName) -> String {
    all.first { $0.1 == name.description }?.0 ?? name.description
  }

  /// What to pull for a name under which there is nothing: a model, its short name, or its name without an owner.
  static func word(for unknown: String) -> String? {
    if let name = name(unknown) { return word(for: name) }
    return all.first { $0.1.hasSuffix("/" + unknown) }?.0
  }
}
