/// Paths as the system reads them: bytes between slashes. A `String` compares characters, and takes a slash followed by
/// a combining mark for a letter of its own; these functions do not.
public enum Paths {
  private static let slash = UInt8(ascii: "/")
  private static let dot = UInt8(ascii: ".")

  /// What stands behind the last slash: empty for a path that ends in one.
  public static func name(of path: String) -> String {
    let bytes = path.utf8
    guard let last = bytes.lastIndex(of: slash) else { return path }
    return String(path[bytes.index(after: last)...])
  }

  /// The folder that a path lies in: `.` for a bare name, `/` for what lies at the root.
  public static func folder(of path: String) -> String {
    let bytes = path.utf8
    guard let last = bytes.lastIndex(of: slash) else { return "." }
    return last == bytes.startIndex ? "/" : String(path[..<last])
  }

  /// A folder's path as it has a name: shells end it in slashes.
  public static func withoutSlashes(_ folder: String) -> String {
    var path = folder
    while path.utf8.count > 1, path.utf8.last == slash { path.unicodeScalars.removeLast() }
    return path
  }

  /// A name in a folder.
  public static func join(_ folder: String, _ name: String) -> String {
    folder.utf8.last == slash ? folder + name : folder + "/" + name
  }

  /// Name and ending around the last dot; the ending holds the dot, and is empty for a name without one or whose only
  /// dot comes first.
  public static func parts(of name: String) -> (stem: String, ending: String) {
    let bytes = name.utf8
    guard let last = bytes.lastIndex(of: dot), last != bytes.startIndex else { return (name, "") }
    return (String(name[..<last]), String(name[last...]))
  }

  /// As many of a text's first scalars as fit into so many bytes.
  public static func prefix(of text: String, bytes limit: Int) -> String {
    var result = String.UnicodeScalarView()
    var count = 0
    for scalar in text.unicodeScalars {
      count += UTF8.width(scalar)
      guard count <= limit else { break }
      result.append(scalar)
    }
    return String(result)
  }

  /// `~` and `~/...` with the home folder in its place, as shells do; other paths as they are.
  public static func expandingHome(_ path: String, home: String?) -> String {
    guard let home, !home.isEmpty, path.utf8.first == UInt8(ascii: "~") else { return path }
    let rest = path.utf8.dropFirst()
    guard rest.isEmpty || rest.first == slash else { return path }
    return home + String(path.dropFirstByte)
  }
}

extension String {
  /// Without its first byte, which must be ASCII.
  fileprivate var dropFirstByte: Substring { self[utf8.index(after: startIndex)...] }
}
