/// The memory and the time that ffmpeg may take for one picture.
struct DecodeBounds: Sendable, Equatable {
  /// Address space, which the libraries of an ffmpeg alone fill by some hundred MiB.
  var kibibytes: Int
  var seconds: Int
}

extension DecodeRequest {
  var bounds: DecodeBounds {
    let area = picture.largest.width * picture.largest.height
    // Measured: at most 300 MiB and 28 bytes a pixel, for 16 bits a channel; frames lie in the decoder, in the
    // converter and in the answer.
    let bytes = 768 << 20 + 40 * area + 4 * picture.stream.count
    return DecodeBounds(kibibytes: bytes >> 10, seconds: 60 + area / 500_000)
  }
}

extension ProcessResult {
  /// Why no picture came of it.
  func reason(bounds: DecodeBounds) -> String {
    let words = log.lines.joined(separator: "; ")
    if words.contains("Cannot allocate memory") || words.contains("Out of memory") {
      return "ffmpeg needs more than \(bounds.kibibytes >> 10) MiB for it (\(words))"
    }
    if words.contains("ecoder") && words.contains("not found") || words.contains("Unknown input format") {
      return "this ffmpeg cannot decode its format; convert it to PNG or JPEG first (\(words))"
    }
    return "ffmpeg finds no intact picture in it" + (words.isEmpty ? succeeded ? "" : " (\(status))" : " (\(words))")
  }
}
