/// What the steps of a tokenizer may write for a text, all together, so that a small file cannot ask for a huge text.
///
/// It is paid while text is written: a step that goes too far ends soon after, and so does work in a task that has been
/// cancelled.
struct TextBudget {
  /// The longest text that is tokenized; prompts are cut after some hundred tokens.
  static let longestText = 1 << 20

  /// Bytes for each byte of the text that all steps together may write, and that any one may make of it; some more for
  /// short texts. The published tokenizer makes 41 bytes of three at worst, and writes 250.
  private static let (perByte, growth, base) = (256, 16, 1 << 16)

  private let file: String
  private let longestResult: Int
  private var remaining: Int
  private var cancellation = CancellationPoint()
  /// The part of the file at work and the number of its step, for the error.
  private var place = (part: "normalizer", step: 0)

  /// - Parameter byteCount: of the text that is given.
  init(for byteCount: Int, file: String) throws(TokenizerError) {
    guard byteCount <= Self.longestText else {
      throw .invalid(file: file, key: "text", reason: "\(byteCount) bytes; at most \(Self.longestText) are tokenized")
    }
    self.file = file
    longestResult = Self.growth * byteCount + Self.base
    remaining = Self.perByte * byteCount + Self.base
  }

  mutating func begin(_ part: String, step: Int) {
    place = (part, step)
  }

  /// For so many bytes of text that a step writes.
  @inline(__always)
  mutating func pay(_ byteCount: Int) throws(TokenizerError) {
    remaining -= byteCount
    guard remaining >= 0 else { throw overspent }
    try pass(byteCount)
  }

  /// For a whole text, which has been paid as it was written.
  func check(_ byteCount: Int) throws(TokenizerError) {
    guard byteCount <= longestResult else { throw overspent }
  }

  /// For so many bytes that are looked at.
  @inline(__always)
  mutating func pass(_ byteCount: Int) throws(TokenizerError) {
    do throws(CancellationError) { try cancellation.pass(byteCount) } catch { throw .cancelled }
  }

  private var overspent: TokenizerError {
    .invalid(
      file: file, key: "\(place.part), step \(place.step + 1)",
      reason: "a text grows out of all proportion here; use the tokenizer of UMT5")
  }
}
