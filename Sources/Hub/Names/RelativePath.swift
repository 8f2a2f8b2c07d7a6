import Files

/// A path that stays below the folder it is joined to, whoever has written it.
struct RelativePath: Sendable, Hashable, CustomStringConvertible {
  let description: String

  /// - Returns: `nil` for a path that is empty or absolute, holds a zero byte, or has a part that is empty, `.` or `..`.
  init?(_ text: String) {
    guard !text.utf8.contains(0), text.utf8.count <= 4096 else { return nil }
    let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard parts.allSatisfy({ !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) }) else {
      return nil
    }
    description = text
  }

  /// How many folders lie between it and the folder that it is joined to.
  var depth: Int { description.utf8.count { $0 == UInt8(ascii: "/") } }

  /// As a part of a URL: every byte that is not unreserved as `%2F`, but for the slashes.
  var escaped: String {
    description.utf8.reduce(into: "") { text, byte in
      switch Unicode.Scalar(byte) {
      case "0"..."9", "a"..."z", "A"..."Z", "-", ".", "_", "~", "/": text.unicodeScalars.append(Unicode.Scalar(byte))
      default: text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
  }
}

extension String {
  /// Whether this is so many lower-case hexadecimal digits.
  func isHexadecimal(_ count: Int) -> Bool {
    utf8.count == count
      && utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (0x61...0x66).contains($0) }
  }
}
