/// Which defaults go with which options: one that does not go with what the user gives is left out, so that no default
/// makes a right command line wrong.
enum OptionConflicts {
  private static let film: Set<String> = [
    "time", "light-source", "light", "light-angle", "tone", "shot", "camera-angle", "composition", "camera-move",
  ]
  private static let steps: Set<String> = ["steps", "timesteps", "sigmas", "preset"]

  /// The options that take the place of a default for another one.
  private static let replacing: [String: Set<String>] = [
    "negative-prompt": ["no-negative-prompt"], "no-negative-prompt": ["negative-prompt"],
    "steps": steps, "timesteps": steps, "sigmas": steps,
    "shift": ["timesteps", "sigmas", "preset", "like"], "guidance": ["preset"], "solver": ["preset"],
    "guidance-until": steps.union(["guidance"]), "boundary": ["steps", "preset"], "preset": ["lora", "model"],
    "rng": ["like"], "rng-card": ["rng", "like"],
    "image": ["continue", "video"], "last-image": ["continue", "video"],
    "continue": ["image", "last-image", "video"], "video": ["image", "last-image", "continue"],
    "model": ["transformer", "high-noise", "low-noise"],
    "transformer": ["model", "high-noise", "low-noise"], "high-noise": ["model", "transformer"],
    "low-noise": ["model", "transformer"], "lora": ["model", "transformer", "high-noise", "low-noise"],
    "vae": ["model"], "quiet": ["json"], "json": ["quiet"], "preview": ["quiet"],
    "save-run": ["save-tensors", "prompts"], "save-tensors": ["save-run", "prompts"],
    "prompt": ["prompts"], "prompts": ["prompt", "save-run", "save-tensors", "extend-prompt"],
    "extend-prompt": ["prompts"],
    "camera-angle": ["camera-move", "style"], "camera-move": ["camera-angle", "style"],
    "style": film, "layers": ["model"], "tiny": ["vae"],
  ].merging(film.subtracting(["camera-angle", "camera-move"]).map { ($0, ["style"]) }) { first, _ in first }

  /// The options one of which another one is nothing without, and the value that they must have, where only one will do.
  private static let needed: [String: (options: Set<String>, value: String?)] = [
    "preview-every": (["preview"], nil), "preview-vae": (["preview"], nil), "overlap": (["continue"], nil),
    "strength": (["video"], nil), "video": (["strength"], nil), "save-every": (["save-run"], nil),
    "keep-run": (["save-run"], nil), "extend-prompt": (["extend-model"], nil),
    "extend-model": (["extend-prompt"], nil), "extend-language": (["extend-prompt"], nil),
    "extend-or-fail": (["extend-prompt"], nil), "prompt-language": (film.union(["style"]), nil),
    "stream": (["output"], "-"), "int8-cache": (["precision"], "int8"),
  ]

  /// Values that go with everything.
  private static let harmless: [String: String] = ["vae": "tiny", "style": "cinematic", "int8-cache": "off"]

  /// Every option that a rule is about.
  static var names: Set<String> {
    Set(replacing.keys).union(replacing.values.joined()).union(needed.keys).union(needed.values.flatMap(\.options))
      .union(harmless.keys)
  }

  /// The option, among these and their values, that a default gives way to.
  static func replacement(of name: String, _ value: String, in given: [String: String]) -> String? {
    if given[name] != nil { return name }
    if ["json", "save-run"].contains(name), given["output"] == "-" { return "output" }
    let goesWithQuiet = name == "preview" && !value.hasPrefix("terminal")
    guard harmless[name] != value, !goesWithQuiet else { return nil }
    return replacing[name]?.filter { given[$0] != nil && given[$0] != harmless[$0] }.min()
  }

  /// The options that a default is nothing without, where none of them is among these.
  static func missing(for name: String, _ value: String, in given: [String: String], of command: CommandOptions)
    -> String?
  {
    guard let need = needed[name], harmless[name] != value else { return nil }
    let known = need.options.filter { command.argument($0) != nil }
    let isThere = known.contains { option in given[option].map { need.value == nil || $0 == need.value } ?? false }
    guard !known.isEmpty, !isThere else { return nil }
    return known.sorted().map { "--\($0)" + (need.value.map { " \($0)" } ?? "") }.joined(separator: " or ")
  }
}
