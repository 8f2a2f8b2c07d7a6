/// The pieces of a Unigram model in the order of their ids, their bytes in one buffer.
struct Vocabulary: Sendable {
  private(set) var bytes: [UInt8] = []
  private(set) var scores: [Double] = []
  private var ends: [Int32] = []

  var count: Int { scores.count }

  /// Appends the piece whose bytes `write` appends to the buffer, and its log probability.
  mutating func append(
    _ write: (inout [UInt8]) throws(TokenizerError) -> Double
  ) throws(TokenizerError) {
    scores.append(try write(&bytes))
    ends.append(Int32(truncatingIfNeeded: bytes.count))
  }

  subscript(_ id: Int) -> ArraySlice<UInt8> {
    bytes[(id == 0 ? 0 : Int(ends[id - 1]))..<Int(ends[id])]
  }
}
