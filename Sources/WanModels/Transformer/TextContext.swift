import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Prompts as the blocks see them: cross-attention keys and values of every layer, made once and used at every step.
///
/// A prompt's zero padding gives identical rows, so one row stands for all of them, with ln(count) on its logit.
public struct TextContext: Sendable {
  /// [B, Lk, H, D] per layer.
  let keys, values: [Tensor]
  /// [B, Lk]: 0 for a prompt's tokens, ln(count) for its padding, -infinity past its end.
  let keyBias: Tensor

  /// How many prompts (B).
  public var prompts: Int { keyBias.shape[0] }

  /// The first prompt alone, in the same memory.
  public var first: TextContext {
    TextContext(
      keys: keys.map { $0.slice(0..<1) }, values: values.map { $0.slice(0..<1) }, keyBias: keyBias.slice(0..<1))
  }

  /// The rows that prompts of these lengths take, and their biases.
  static func keyBias(lengths: [Int], paddedTo textLength: Int) -> Tensor {
    let width = rowCount(lengths: lengths, paddedTo: textLength)
    let rows = lengths.flatMap { length in
      (0..<width).map { row -> Float in
        let padding = textLength - length
        if row < length { return 0 }
        return row == length && padding > 0 ? Float(log(Double(padding))) : -.infinity
      }
    }
    return Tensor(rows, shape: [lengths.count, width])
  }

  /// The longest prompt's tokens and one row for padding, at most `textLength`.
  static func rowCount(lengths: [Int], paddedTo textLength: Int) -> Int {
    min(textLength, (lengths.max() ?? 0) + 1)
  }
}
