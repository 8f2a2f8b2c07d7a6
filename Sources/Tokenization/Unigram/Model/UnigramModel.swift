/// A Unigram language model: text is cut into the pieces whose log probabilities sum to the most.
///
/// Kudo, "Subword Regularization" (2018), with the rules of the published tokenizer: a character that no piece
/// covers costs 10 more than the worst piece, neighbouring unknown characters count as one, and sums are float64;
/// sentencepiece itself keeps them in float32.
struct UnigramModel: Sendable {
  private let scores: [Double]
  private let trie: PieceTrie
  private let unknown: Int32
  private let unknownScore: Double
  /// The ids of the pieces `<0x00>` to `<0xFF>`, or nil where unknown text has one id.
  private let byteIDs: [Int32]?
  /// Whether what a way has cost so far is kept in float32, as sentencepiece keeps it: a tie may fall otherwise.
  private let hasSingleSums: Bool

  /// - Parameter unmatched: ids of pieces that no text is cut into: controls, bytes, places that are not used.
  init(
    _ vocabulary: Vocabulary, unknown: Int, byteFallback: Bool, unmatched: Set<Int> = [], hasSingleSums: Bool = false,
    file: String
  ) throws(TokenizerError) {
    let matched =
      unmatched.isEmpty
      ? vocabulary.scores
      : vocabulary.scores.indices.filter { !unmatched.contains($0) }
        .map { vocabulary.scores[$0] }
    guard unknown < vocabulary.count, let worst = matched.min() else {
      throw .invalid(
        file: file, key: "unk_id", reason: "\(unknown) is not among the \(vocabulary.count) pieces of the vocabulary")
    }
    var trie = PieceTrie(expectedNodes: vocabulary.bytes.count / 2)
    var cancellation = CancellationPoint()
    for id in 0..<vocabulary.count where !vocabulary[id].isEmpty && !unmatched.contains(id) {
      trie.insert(vocabulary[id], number: Int32(id))
      do throws(CancellationError) { try cancellation.pass(1 << 6) } catch { throw .cancelled }
    }
    scores = vocabulary.scores
    self.unknown = Int32(unknown)
    unknownScore = hasSingleSums ? Double(Float(worst) - 10) : worst - 10
    byteIDs = byteFallback ? Self.byteIDs(trie, unmatched.sorted().map { ($0, vocabulary[$0]) }) : nil
    self.trie = trie
    self.hasSingleSums = hasSingleSums
  }

  /// - Parameter others: pieces that are not in the trie.
  private static func byteIDs(_ trie: PieceTrie, _ others: [(id: Int, piece: ArraySlice<UInt8>)]) -> [Int32] {
    let digits = Array("0123456789ABCDEF".utf8)
    return (0..<256).map { byte in
      let name = Array("<0x".utf8) + [digits[byte >> 4], digits[byte & 15]] + Array(">".utf8)
      return others.first { $0.piece.elementsEqual(name) }.map { Int32($0.id) } ?? trie.number(of: name[...]) ?? -1
    }
  }

  func id(of piece: ArraySlice<UInt8>) -> Int32? { trie.number(of: piece) }

  /// The best way to arrive at a byte offset.
  private struct Arrival {
    var score = 0.0
    var start: Int32 = -1
    var id: Int32 = -1

    mutating func improve(_ score: Double, from start: Int, id: Int32) {
      guard self.start < 0 || score > self.score else { return }
      self = Arrival(score: score, start: Int32(start), id: id)
    }
  }

  /// Appends the ids of `text`, which is UTF-8.
  func encode(_ text: [UInt8], into ids: inout [Int32], _ budget: inout TextBudget) throws(TokenizerError) {
    let arrivals = try arrivals(text, &budget)
    var pieces: [(range: Range<Int>, id: Int32)] = []
    var end = text.count
    while end > 0 {
      let start = Int(arrivals[end].start)
      let id = arrivals[end].id
      if id == unknown, let last = pieces.last, last.id == unknown {
        pieces[pieces.count - 1].range = start..<last.range.upperBound
      } else {
        pieces.append((start..<end, id))
      }
      end = start
    }
    for piece in pieces.reversed() {
      if piece.id == unknown { appendUnknown(text[piece.range], to: &ids) } else { ids.append(piece.id) }
    }
  }

  private func arrivals(_ text: [UInt8], _ budget: inout TextBudget) throws(TokenizerError) -> [Arrival] {
    var arrivals = Array(repeating: Arrival(), count: text.count + 1)
    var start = 0
    while start < text.count {
      let length = min(Self.length(lead: text[start]), text.count - start)
      let score = arrivals[start].score
      var isCovered = false
      var node = PieceTrie.root
      var end = start
      while end < text.count, let next = trie.step(node, text[end]) {
        node = next
        end += 1
        let id = trie.number(at: node)
        guard id >= 0 else { continue }
        arrivals[end].improve(sum(score, scores[Int(id)]), from: start, id: id)
        if end - start == length { isCovered = true }
      }
      try budget.pass(end - start + 1)
      if !isCovered { arrivals[start + length].improve(sum(score, unknownScore), from: start, id: unknown) }
      start += length
    }
    return arrivals
  }

  /// Float64 has room enough that rounding its sum of two floats once more gives their sum in float32.
  private func sum(_ a: Double, _ b: Double) -> Double { hasSingleSums ? Double(Float(a + b)) : a + b }

  private func appendUnknown(_ text: ArraySlice<UInt8>, to ids: inout [Int32]) {
    if let id = trie.number(of: text) {
      ids.append(id)
    } else if let byteIDs, text.allSatisfy({ byteIDs[Int($0)] >= 0 }) {
      ids += text.map { byteIDs[Int($0)] }
    } else {
      ids.append(unknown)
    }
  }

  private static func length(lead: UInt8) -> Int {
    switch lead {
    case ..<0xC0: 1
    case ..<0xE0: 2
    case ..<0xF0: 3
    default: 4
    }
  }
}
