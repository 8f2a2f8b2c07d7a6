// What a PNG says of its orientation: EXIF in a chunk of its own, or as the hexadecimal text that older programs write,
// and XMP as a text. Of notes of one kind the last counts, as for Pillow.

struct PNGNotes {
  private var exif: ArraySlice<UInt8>?
  private var exifText: PNGText?
  private var xmp: PNGText?

  mutating func read(_ name: String, _ payload: ArraySlice<UInt8>) {
    if name == "eXIf" { exif = payload }
    guard let text = PNGText(name, payload) else { return }
    if text.keyword.elementsEqual("Raw profile type exif".utf8) { exifText = text }
    if text.keyword.elementsEqual("XML:com.adobe.xmp".utf8) { xmp = text }
  }

  /// - Throws: when the orientation may stand in a compressed text, which is not inflated here.
  func orientation() throws(Refusal) -> StoredOrientation {
    var stored = StoredOrientation()
    if let exif {
      stored.exif = Array(exif)
    } else if let exifText {
      stored.exif = Self.profile(try exifText.plain())
    }
    if stored.exifOrientation == nil { stored.xmp = try xmp?.plain() }
    return stored
  }

  /// The bytes of a profile as text: an empty line, its kind, its length, then hexadecimal digits in lines.
  private static func profile(_ text: ArraySlice<UInt8>) -> [UInt8] {
    let lines = text.split(separator: 0x0A, maxSplits: 3, omittingEmptySubsequences: false)
    guard lines.count == 4 else { return [] }
    var bytes: [UInt8] = []
    var high: UInt8?
    for character in lines[3] where !character.isSpace {
      guard let digit = Character(Unicode.Scalar(character)).hexDigitValue else { break }
      if let upper = high {
        bytes.append(upper << 4 | UInt8(digit))
        high = nil
      } else {
        high = UInt8(digit)
      }
    }
    return bytes
  }
}

/// A keyword and a text: the chunks tEXt, zTXt and iTXt.
private struct PNGText {
  let keyword: ArraySlice<UInt8>
  let isCompressed: Bool
  let body: ArraySlice<UInt8>

  /// Nil for other chunks, and for those that end before their text.
  init?(_ chunk: String, _ payload: ArraySlice<UInt8>) {
    guard ["tEXt", "zTXt", "iTXt"].contains(chunk), let end = payload.firstIndex(of: 0) else { return nil }
    keyword = payload[..<end]
    var rest = payload[(end + 1)...]
    if chunk == "iTXt" {
      // Whether and how it is compressed; the language; the keyword in that language.
      guard let flag = rest.first else { return nil }
      isCompressed = flag != 0
      rest = rest.dropFirst(2)
      for _ in 0..<2 {
        guard let end = rest.firstIndex(of: 0) else { return nil }
        rest = rest[(end + 1)...]
      }
    } else {
      isCompressed = chunk == "zTXt"
    }
    body = rest
  }

  func plain() throws(Refusal) -> ArraySlice<UInt8> {
    guard !isCompressed else {
      let name = String(decoding: keyword, as: UTF8.self)
      throw Refusal(
        reason: "it is a PNG whose orientation is compressed, in its text \"\(name)\", which is not read here;"
          + " save it again as JPEG")
    }
    return body
  }
}
