import Files

/// Reads the members `normalizer` and `pre_tokenizer` of `tokenizer.json`.
struct NormalizerParser {
  let file: String

  /// The steps in order, those of sequences among them.
  func parse(_ value: JSONValue?) throws(TokenizerError) -> [TextNormalizer] {
    guard let value, !value.isNull else { return [] }
    guard value["type"]?.word == "Sequence" else { return [try step(value)] }
    var steps: [TextNormalizer] = []
    for part in value["normalizers"]?.array ?? [] {
      steps += try parse(part)
      guard steps.count <= TextNormalizer.maximumSteps else {
        throw .invalid(file: file, key: "normalizer", reason: "more than \(TextNormalizer.maximumSteps) steps")
      }
    }
    return steps
  }

  private func step(_ value: JSONValue) throws(TokenizerError) -> TextNormalizer {
    switch value["type"]?.word {
    case "Precompiled": return .characterMap(try characterMap(value))
    case "Strip":
      return .strip(left: value["strip_left"]?.bool ?? true, right: value["strip_right"]?.bool ?? true)
    case "Replace": return try replacement(value)
    case "Prepend":
      guard let prefix = value["prepend"]?.string else { throw unsupported(value) }
      return .prepend(prefix)
    case "NFC": return .unicode(.composed)
    case "NFD": return .unicode(.decomposed)
    case "NFKC": return .unicode(.compatibilityComposed)
    case "NFKD": return .unicode(.compatibilityDecomposed)
    case "Lowercase": return .lowercase
    default: throw unsupported(value)
    }
  }

  private func unsupported(_ value: JSONValue) -> TokenizerError {
    .unsupported(file: file, key: "normalizer", found: value.kind)
  }

  private func characterMap(_ value: JSONValue) throws(TokenizerError) -> CharacterMap {
    guard let text = value["precompiled_charsmap"]?.string, let bytes = Base64.decode(text) else {
      throw .invalid(file: file, key: "normalizer.precompiled_charsmap", reason: "expected base64")
    }
    return try CharacterMap(parsing: bytes, file: file)
  }

  private func replacement(_ value: JSONValue) throws(TokenizerError) -> TextNormalizer {
    guard let content = value["content"]?.string else { throw unsupported(value) }
    guard content.utf8.count <= TextNormalizer.maximumReplacement else {
      throw .invalid(
        file: file, key: "normalizer.content", reason: "more than \(TextNormalizer.maximumReplacement) bytes")
    }
    if let literal = value["pattern"]?["String"]?.string {
      guard literal.utf8.count <= TextNormalizer.maximumReplacement else {
        throw .invalid(
          file: file, key: "normalizer.pattern", reason: "more than \(TextNormalizer.maximumReplacement) bytes")
      }
      return .replace(.literal(Array(literal.utf8)), with: Array(content.utf8))
    }
    guard let expression = value["pattern"]?["Regex"]?.string else { throw unsupported(value) }
    guard let pattern = ReplacementPattern(regularExpression: expression) else {
      throw .unsupported(file: file, key: "normalizer.pattern", found: JSONValue.string(expression).kind)
    }
    return .replace(pattern, with: Array(content.utf8))
  }
}

/// Reads the member `pre_tokenizer`.
struct PreTokenizerParser {
  let file: String

  /// The steps in order, those of sequences among them.
  func parse(_ value: JSONValue?) throws(TokenizerError) -> [PreTokenizer] {
    guard let value, !value.isNull else { return [] }
    guard value["type"]?.word == "Sequence" else { return [try step(value)] }
    var steps: [PreTokenizer] = []
    for part in value["pretokenizers"]?.array ?? [] {
      steps += try parse(part)
      guard steps.count <= TextNormalizer.maximumSteps else {
        throw .invalid(file: file, key: "pre_tokenizer", reason: "more than \(TextNormalizer.maximumSteps) steps")
      }
    }
    return steps
  }

  private func step(_ value: JSONValue) throws(TokenizerError) -> PreTokenizer {
    switch value["type"]?.word {
    case "WhitespaceSplit": return .whitespaceSplit
    case "Metaspace": return try metaspace(value)
    default: throw .unsupported(file: file, key: "pre_tokenizer", found: value.kind)
    }
  }

  private func metaspace(_ value: JSONValue) throws(TokenizerError) -> PreTokenizer {
    let replacement = value["replacement"]?.string ?? "▁"
    guard replacement.unicodeScalars.count == 1 else {
      throw .invalid(file: file, key: "pre_tokenizer.replacement", reason: "expected one character")
    }
    // Files of older versions say add_prefix_space instead.
    let older: PreTokenizer.PrependScheme = value["add_prefix_space"]?.bool == false ? .never : .always
    let scheme = value["prepend_scheme"].map { $0.word.flatMap(PreTokenizer.PrependScheme.init) } ?? older
    guard let scheme else {
      throw .unsupported(
        file: file, key: "pre_tokenizer.prepend_scheme", found: value["prepend_scheme"]?.kind ?? "null")
    }
    return .metaspace(replacement: Array(replacement.utf8), prepend: scheme, splits: value["split"]?.bool ?? true)
  }
}
