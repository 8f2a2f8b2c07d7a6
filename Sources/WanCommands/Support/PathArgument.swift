import ArgumentParser
import Files
import Foundation

/// A path as it stands on the command line, with `~` expanded in every option alike: shells leave it in `--output=~/a`.
struct PathArgument: Sendable {
  /// Absolute, or relative to the working folder; never begins with `~`.
  let path: String

  /// - Throws: `ValidationError` for an empty path and for bytes that are not UTF-8, which would name another file.
  init(_ argument: String) throws {
    guard !argument.isEmpty else { throw ValidationError("it is empty") }
    guard !argument.unicodeScalars.contains("\u{FFFD}") else {
      throw ValidationError("the name holds bytes that are not UTF-8: rename the file")
    }
    let expanded = Paths.expandingHome(argument, home: ProcessInfo.processInfo.environment["HOME"])
    // A file whose own name begins so must not be expanded further below.
    path = expanded.utf8.first == UInt8(ascii: "~") ? "./" + expanded : expanded
  }

  /// For `transform:` of an option.
  static func path(_ argument: String) throws -> String { try PathArgument(argument).path }
}
