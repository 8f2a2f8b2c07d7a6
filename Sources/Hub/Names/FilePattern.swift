/// A pattern of paths as shells and Python's hub tools have them: `*` stands for any text, slashes too, `?` for one
/// character, `[a-z]` and `[!a-z]` for one of several; one that ends in a slash means all below a folder.
public struct FilePattern: Sendable, Hashable {
  private enum Part: Sendable, Hashable {
    case any, one, character(Character)
    case set([ClosedRange<Character>], isInverted: Bool)
  }

  private let parts: [Part]

  /// A `[` without its end stands for itself.
  public init(_ text: String) {
    var rest = Array(text.hasSuffix("/") ? text + "*" : text)[...]
    var parts: [Part] = []
    while let next = rest.popFirst() {
      switch next {
      case "*": parts.append(.any)
      case "?": parts.append(.one)
      case "[": parts.append(Self.set(&rest) ?? .character("["))
      default: parts.append(.character(next))
      }
    }
    self.parts = parts
  }

  /// Whether all of a path is of this form.
  public func matches(_ path: String) -> Bool {
    let text = Array(path)
    var (position, part) = (0, 0)
    // The last `*`, and the place up to which it stands for text: it takes one more where the rest does not fit.
    var star: (part: Int, position: Int)?
    while position < text.count {
      if part < parts.count, parts[part] == .any {
        star = (part, position)
        part += 1
      } else if part < parts.count, Self.fits(parts[part], text[position]) {
        (position, part) = (position + 1, part + 1)
      } else if let last = star {
        star = (last.part, last.position + 1)
        (position, part) = (last.position + 1, last.part + 1)
      } else {
        return false
      }
    }
    return parts[part...].allSatisfy { $0 == .any }
  }

  private static func fits(_ part: Part, _ character: Character) -> Bool {
    switch part {
    case .any, .one: true
    case .character(let own): own == character
    case .set(let ranges, let isInverted): ranges.contains { $0.contains(character) } != isInverted
    }
  }

  /// What follows a `[`, up to its end; `nil` where it has none.
  private static func set(_ rest: inout ArraySlice<Character>) -> Part? {
    var inner = rest
    let isInverted = inner.first == "!"
    if isInverted { inner.removeFirst() }
    // A bracket that comes first is one of the characters.
    guard let end = inner.dropFirst().firstIndex(of: "]") else { return nil }
    var characters = inner[..<end]
    var ranges: [ClosedRange<Character>] = []
    while let low = characters.popFirst() {
      if characters.count > 1, characters.first == "-", let high = characters.dropFirst().first {
        if low <= high { ranges.append(low...high) }
        characters = characters.dropFirst(2)
      } else {
        ranges.append(low...low)
      }
    }
    rest = inner[(end + 1)...]
    return .set(ranges, isInverted: isInverted)
  }
}
