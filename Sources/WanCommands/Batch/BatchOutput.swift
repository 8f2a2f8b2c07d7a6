import Files
import Media

/// The folder that many clips go into, and how they are named there.
struct BatchOutput: Sendable {
  /// Without a slash at its end.
  let folder: String
  /// What stands before and behind the name of a clip.
  private let prefix, suffix: String

  private static let placeholder = "{}"

  /// - Parameter option: a folder, or a name in it with {} for what is a clip's own; clips/ unless given.
  /// - Throws: `CommandError` for what would be one file.
  init(_ option: String?) throws(CommandError) {
    let option = option ?? "clips/"
    let name = Paths.name(of: option)
    let parts = name.split(separator: Self.placeholder, omittingEmptySubsequences: false)
    switch parts.count {
    case 1 where name.isEmpty || FileStatus(path: option)?.kind == .folder || (try? ClipFormat(path: name)) == nil:
      guard Paths.parts(of: name).ending.isEmpty || FileStatus(path: option)?.kind == .folder else {
        throw CommandError("--output \(option): '\(name)' ends like a file; a folder of that name ends in /")
      }
      (folder, prefix, suffix) = (Paths.withoutSlashes(option), "", ".mp4")
    case 1:
      throw CommandError(
        "--output \(option) is one file, and many clips are made; name a folder, as clips/, or put {} for the name of each: "
          + "clips/{}\(Paths.parts(of: name).ending)")
    case 2:
      (folder, prefix, suffix) = (Paths.folder(of: option), String(parts[0]), String(parts[1]))
      guard (try? ClipFormat(path: "a" + suffix)) != nil else {
        throw CommandError("--output \(option): the name must end in the kind of clip, as clips/{}.mp4")
      }
    default: throw CommandError("--output \(option): {} stands for the name of a clip once")
    }
  }

  /// The path of a clip.
  ///
  /// - Parameters:
  ///   - name: its own, where it has one, perhaps with an ending of its own.
  ///   - index: counted from 0, of so many.
  /// - Throws: `CommandError` for a name that is none.
  func path(_ name: String?, index: Int, of count: Int) throws(CommandError) -> String {
    guard let name else {
      let (number, digits) = ("\(index + 1)", max(4, "\(count)".count))
      return place(prefix + String(repeating: "0", count: digits - number.count) + number + suffix)
    }
    guard !name.isEmpty, !name.hasPrefix("."), !name.contains("/"), !name.contains("\0"),
      name.utf8.count <= 200
    else {
      throw CommandError(
        "\"\(name)\" is no name for a clip in '\(folder)': no folders, no dot in front, at most 200 bytes")
    }
    return place((try? ClipFormat(path: name)) == nil ? prefix + name + suffix : name)
  }

  private func place(_ name: String) -> String { folder == "." ? name : Paths.join(folder, name) }
}
