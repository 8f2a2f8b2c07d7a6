/// The pieces of a Unigram model in the order of their ids, their bytes in one buffer.
struct Vocabulary: Sendable {
  /// More pieces than any model has; UMT5's has 256 384.
  private static let maximumCount = 1 << 21

  let file: String
  private(set) var bytes: [UInt8] = []
  private(set) var scores: [Double] = []
  private var ends: [Int32] = []

  private var cancellation = CancellationPoint()

  init(file: String) {
    self.file = file
  }

  var count: Int { scores.count }

  /// Appends the piece whose bytes `write` appends to the buffer, and its log probability.
  mutating func append(
    _ write: (inout [UInt8]) throws(TokenizerError) -> Double
  ) throws(TokenizerError) {
    let start = bytes.count
    scores.append(try write(&bytes))
    ends.append(Int32(truncatingIfNeeded: bytes.count))
    try check(bytes.count - start)
  }

  subscript(_ id: Int) -> ArraySlice<UInt8> {
    bytes[(id == 0 ? 0 : Int(ends[id - 1]))..<Int(ends[id])]
  }

  private mutating func check(_ length: Int) throws(TokenizerError) {
    guard length <= PieceTrie.maximumPiece else {
      throw .invalid(file: file, key: "vocabulary", reason: "piece \(count - 1) has \(length) bytes")
    }
    guard count <= Self.maximumCount, bytes.count <= PieceTrie.maximumBytes else {
      throw .invalid(
        file: file, key: "vocabulary",
        reason: "more than \(Self.maximumCount) pieces, or more than \(PieceTrie.maximumBytes) bytes of them")
    }
    do throws(CancellationError) { try cancellation.pass(1 << 6) } catch { throw .cancelled }
  }
}
