/// Words that were perhaps meant.
public enum Spelling {
  /// The word that is few letters away from another, small and capital ones alike; `nil` where none is.
  public static func nearest(to word: String, among words: [String]) -> String? {
    let (key, longest) = (word.lowercased(), 64)
    guard key.utf8.count <= longest else { return nil }
    let allowed = max(1, key.count / 3)
    return words.map { (word: $0, distance: Wording.distance(Array(key.unicodeScalars), scalars($0))) }
      .filter { $0.distance <= allowed }
      .min { $0.distance < $1.distance }?.word
  }

  private static func scalars(_ word: String) -> [Unicode.Scalar] { Array(word.lowercased().unicodeScalars) }
}
