import Sampling

/// What a file's or folder's name says of the steps that a transformer is for: nothing inside tells it.
enum ExpertName {
  /// `high_noise_model`, `wan2.2_t2v_high_noise_14B_fp8.safetensors`, `Wan2.2-T2V-A14B-LowNoise-Q4_0.gguf`, `…_HIGH_…`;
  /// `nil` where neither or both are named.
  static func expert(of path: String) -> Expert? {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let words = words(of: name)
    let isHigh = words.contains { ["high", "highnoise"].contains($0) }
    let isLow = words.contains { ["low", "lownoise"].contains($0) }
    return isHigh == isLow ? nil : isHigh ? .high : .low
  }

  /// The same name for the other expert: `…high_noise…` becomes `…low_noise…`, `HIGH` becomes `LOW`.
  static func partner(of name: String) -> String? {
    guard let expert = expert(of: name) else { return nil }
    let pairs = [("high", "low"), ("High", "Low"), ("HIGH", "LOW")]
    for (high, low) in pairs {
      let (old, new) = expert == .high ? (high, low) : (low, high)
      if let place = name.ranges(of: old).first(where: { isWord($0, in: name) }) {
        return name[..<place.lowerBound] + new + name[place.upperBound...]
      }
    }
    return nil
  }

  private static func isWord(_ range: Range<String.Index>, in name: String) -> Bool {
    guard range.lowerBound > name.startIndex else { return true }
    let before = name[name.index(before: range.lowerBound)]
    return !before.isLetter || before.isLowercase && name[range.lowerBound].isUppercase
  }

  /// Runs of letters, cut where a small letter is followed by a capital one, in small letters; `HighNoise` is one.
  private static func words(of name: String) -> [String] {
    var words: [String] = []
    var word = ""
    for character in name {
      if !character.isLetter || character.isUppercase && word.last?.isLowercase == true {
        words.append(word)
        word = ""
      }
      if character.isLetter { word.append(character) }
    }
    return (words + [word]).filter { !$0.isEmpty }.map { $0.lowercased() }
  }
}
