import Files

/// What lies where a clip is looked for.
enum ClipPlace: Equatable {
  /// A file that holds a film.
  case film(String)
  /// Files that hold a picture each, in order.
  case pictures([String])

  /// - Throws: `cannotReadClip` where there is nothing that could be one.
  init(_ path: String) throws(MediaError) {
    switch FileStatus(path: path)?.kind {
    case .file: self = Self.isPicture(path) ? .pictures([path]) : .film(path)
    case .folder: self = .pictures(try PictureFolder.pictures(in: path))
    case nil:
      guard let set = NumberedSet(path) else {
        throw .cannotReadClip(path: path, reason: "there is no such file, or its folder may not be entered")
      }
      self = .pictures(try set.pictures(of: path))
    default: throw .cannotReadClip(path: path, reason: "it is neither a file nor a folder")
    }
  }

  /// By its first bytes. A GIF is a film, of one frame or more.
  private static func isPicture(_ path: String) -> Bool {
    guard let source = FileSource(path: path), let format = StillFormat(start: source.bytes(at: 0, count: 512)) else {
      return false
    }
    return format != .gif
  }
}

/// A set of pictures that differ in a number alone: `frames/%04d.png`, or clip.png for clip-0001.png and so on.
struct NumberedSet: Equatable {
  let folder, start, ending: String
  /// Digits that a number has at least, with zeros in front.
  let digits: Int

  /// - Returns: `nil` for a path without an ending, and one with several patterns.
  init?(_ path: String) {
    folder = Paths.folder(of: path)
    let name = Paths.name(of: path)
    let parts = name.split(separator: "%", omittingEmptySubsequences: false)
    if parts.count == 2, let d = parts[1].firstIndex(of: "d"),
      parts[1][..<d].utf8.allSatisfy({ (0x30...0x39).contains($0) })
    {
      let width = parts[1][..<d]
      guard width.isEmpty || width.first == "0", width.utf8.count <= 3 else { return nil }
      (start, ending) = (String(parts[0]), String(parts[1][parts[1].index(after: d)...]))
      digits = Int(width) ?? 1
    } else {
      let (stem, ending) = Paths.parts(of: name)
      guard !ending.isEmpty else { return nil }
      (start, self.ending, digits) = (stem + "-", ending, 4)
    }
  }

  /// - Parameter path: what the set was asked for by.
  /// - Throws: `cannotReadClip` where there are none, or one of them is missing.
  func pictures(of path: String) throws(MediaError) -> [String] {
    let names = (try? FolderNames(path: folder))?.names ?? []
    let found = names.compactMap { name in number(of: name).map { (number: $0, name: name) } }
      .sorted { $0.number < $1.number }
    guard let first = found.first else {
      throw .cannotReadClip(
        path: path, reason: "there is no such file, and no numbered pictures such as \(name(of: 1)) either")
    }
    for (offset, picture) in found.enumerated() where picture.number != first.number + offset {
      throw .cannotReadClip(
        path: path, reason: "\(name(of: first.number + offset)) is missing: its set goes on with \(picture.name)")
    }
    return found.map { folder == "." ? $0.name : Paths.join(folder, $0.name) }
  }

  private func number(of name: String) -> Int? {
    guard name.utf8.count > start.utf8.count + ending.utf8.count, name.utf8.starts(with: start.utf8),
      name.utf8.suffix(ending.utf8.count).elementsEqual(ending.utf8)
    else { return nil }
    let text = name.utf8.dropFirst(start.utf8.count).dropLast(ending.utf8.count)
    guard text.count >= digits, text.count <= 9, text.allSatisfy({ (0x30...0x39).contains($0) }),
      text.count == digits || text.first != 0x30
    else { return nil }
    return text.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }

  private func name(of number: Int) -> String {
    let text = String(number)
    return start + String(repeating: "0", count: max(digits - text.count, 0)) + text + ending
  }
}

/// Names in the order that people expect: the numbers in them count as numbers, 2 before 10.
struct NameOrder: Comparable {
  private let name: String
  private let parts: [Part]

  private enum Part: Equatable {
    case text(UInt8)
    /// Digits without the zeros in front.
    case number([UInt8])
  }

  init(_ name: String) {
    var parts: [Part] = []
    for byte in name.utf8 {
      if !(0x30...0x39).contains(byte) {
        parts.append(.text(byte))
      } else if case .number(let digits)? = parts.last {
        parts[parts.count - 1] = .number(digits == [0x30] ? [byte] : digits + [byte])
      } else {
        parts.append(.number([byte]))
      }
    }
    (self.name, self.parts) = (name, parts)
  }

  static func < (one: NameOrder, other: NameOrder) -> Bool {
    for (a, b) in zip(one.parts, other.parts) where a != b {
      switch (a, b) {
      case (.text(let a), .text(let b)): return a < b
      case (.number(let a), .number(let b)):
        return a.count == b.count ? a.lexicographicallyPrecedes(b) : a.count < b.count
      case (.number, .text): return true
      case (.text, .number): return false
      }
    }
    return one.parts.count == other.parts.count ? one.name < other.name : one.parts.count < other.parts.count
  }
}
