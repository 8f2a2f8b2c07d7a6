/// Words compared as people write them: without case, and with hyphens and spaces alike.
enum Wording {
  /// More characters than any word or phrase has.
  static let longest = 200

  /// A text with small letters, and one space for each run of spaces, hyphens and underscores.
  static func key(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.lowercased().unicodeScalars {
      let isGap = scalar.properties.isWhitespace || "-_\u{2010}\u{2011}".unicodeScalars.contains(scalar)
      if !isGap { result.append(scalar) } else if result.last != " ", !result.isEmpty { result.append(" ") }
    }
    if result.last == " " { result.removeLast() }
    return String(result)
  }

  /// The words whose names are few letters away from a key or begin with it, the nearest first.
  static func nearest(_ key: String, of words: [CinematographyWord]) -> [CinematographyWord] {
    guard key.utf8.count >= 2 else { return [] }
    let allowed = max(1, key.count / 3)
    let distances = words.map { word in
      let names = ([word.name] + word.phrases).map(Self.key)
      let begins = names.contains { $0.hasPrefix(key) } ? 1 : Int.max
      return min(begins, names.map { distance(Array(key.unicodeScalars), Array($0.unicodeScalars)) }.min() ?? .max)
    }
    guard let least = distances.min(), least <= allowed else { return [] }
    return zip(words, distances).filter { $0.1 == least }.map(\.0)
  }

  /// Letters to add, to drop, to replace or to swap with their neighbour.
  static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
    var (before, last) = ([Int](), Array(0...b.count))
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var least = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, before[j - 1] + 1) }
        row.append(least)
      }
      (before, last) = (last, row)
    }
    return last[b.count]
  }
}

extension CinematographyVocabulary {
  /// The words of a kind that a prompt says already, in either language.
  ///
  /// A phrase inside a longer one is the longer one's: "extreme close-up shot" says no "close-up shot".
  ///
  /// - Parameter prompt: as ``Wording/key(_:)`` gives it.
  func said(_ kind: CinematographyKind, in prompt: [UInt8]) -> [CinematographyWord] {
    var rest = prompt
    var found: Set<String> = []
    let words = self[kind]
    let phrases = words.flatMap { word in word.phrases.map { (key: Array(Wording.key($0).utf8), name: word.name) } }
    for (key, name) in phrases.sorted(by: { $0.key.count > $1.key.count }) where !key.isEmpty {
      var start = 0
      while let place = rest.firstPlace(of: key, from: start) {
        found.insert(name)
        for index in place..<place + key.count { rest[index] = 0 }
        start = place + key.count
      }
    }
    return words.filter { found.contains($0.name) }
  }
}

extension [UInt8] {
  /// Where a phrase begins that no other letter or digit of ASCII goes on from.
  fileprivate func firstPlace(of phrase: [UInt8], from start: Int) -> Int? {
    guard count >= phrase.count else { return nil }
    var place = start
    while place <= count - phrase.count {
      if self[place] == phrase[0], self[place..<place + phrase.count].elementsEqual(phrase),
        isEdge(place), isEdge(place + phrase.count)
      {
        return place
      }
      place += 1
    }
    return nil
  }

  /// Whether no word goes on across a place.
  private func isEdge(_ place: Int) -> Bool {
    guard place > 0, place < count else { return true }
    return !(self[place - 1].isWordPart && self[place].isWordPart)
  }
}

extension UInt8 {
  fileprivate var isWordPart: Bool {
    switch Unicode.Scalar(self) {
    case "a"..."z", "0"..."9": true
    default: false
    }
  }
}
