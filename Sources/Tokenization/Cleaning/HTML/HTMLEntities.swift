/// The named character references of HTML5.
enum HTMLEntities {
  /// What a name that ends in a semicolon stands for. The semicolon is not part of `name`.
  static func terminated(_ name: String) -> [Unicode.Scalar]? { table.terminated[name] }

  /// What a name stands for without a semicolon: some old names of Latin-1 do.
  static func unterminated(_ name: String) -> [Unicode.Scalar]? { table.unterminated[name] }

  /// What `name` stands for when it is a lower-case name that was written in capitals, such as `NTILDE`.
  static func capitalized(_ name: String) -> [Unicode.Scalar]? {
    guard !name.utf8.contains(where: { (0x61...0x7A).contains($0) }), !startsWithUnterminated(name),
      let scalars = terminated(name.lowercased())
    else { return nil }
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return Array(String(view).uppercased().unicodeScalars)
  }

  private static func startsWithUnterminated(_ name: String) -> Bool {
    name.count >= 2 && (2...name.count).contains { unterminated(String(name.prefix($0))) != nil }
  }

  private static let table: (terminated: [String: [Unicode.Scalar]], unterminated: [String: [Unicode.Scalar]]) = {
    var terminated: [String: [Unicode.Scalar]] = [:]
    var unterminated: [String: [Unicode.Scalar]] = [:]
    for entry in HTMLEntityData.all.split(separator: " ") {
      let parts = entry.split(separator: "=")
      guard parts.count == 2 else { continue }
      let scalars = parts[1].split(separator: "+").compactMap { UInt32($0, radix: 16).flatMap(Unicode.Scalar.init) }
      let name = String(parts[0].prefix { $0 != "!" })
      terminated[name] = scalars
      if parts[0].hasSuffix("!") { unterminated[name] = scalars }
    }
    return (terminated, unterminated)
  }()
}
