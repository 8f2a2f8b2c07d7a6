import Media

/// A picture in DEC's sixels: six rows at a time, in 216 colours, dithered.
struct SixelPicture {
  let width, height: Int
  /// The colour of each pixel: 36 red + 6 green + blue, six levels each.
  let indices: [UInt8]

  private static let levels = 6
  /// Bayer's ordered dither of 4x4.
  private static let thresholds = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5]

  init(_ picture: RGBImage) {
    (width, height) = (picture.width, picture.height)
    indices = (0..<width * height).map { i in
      let threshold = Self.thresholds[i / picture.width % 4 * 4 + i % picture.width % 4]
      return (0..<3).reduce(UInt8(0)) { index, colour in
        // Fractions of a level become the next one as often as they are large.
        let level = (Int(picture.pixels[3 * i + colour]) * (Self.levels - 1) * 16 + 255 * threshold + 127) / (255 * 16)
        return index * UInt8(Self.levels) + UInt8(level)
      }
    }
  }

  /// The escape sequence: size, the colours that occur, and bands of six rows, colour by colour.
  var text: String {
    var out = "\u{1B}P0;1;0q\"1;1;\(width);\(height)"
    for index in Set(indices).sorted() {
      let (red, green, blue) = (index / 36, index / 6 % 6, index % 6)
      out += "#\(index);2;\(Int(red) * 20);\(Int(green) * 20);\(Int(blue) * 20)"
    }
    for top in stride(from: 0, to: height, by: 6) { out += band(top..<min(top + 6, height)) + "-" }
    return out + "\u{1B}\\"
  }

  private func band(_ rows: Range<Int>) -> String {
    var masks: [UInt8: [UInt8]] = [:]
    for (bit, y) in rows.enumerated() {
      for x in 0..<width { masks[indices[y * width + x], default: Array(repeating: 0, count: width)][x] |= 1 << bit }
    }
    return masks.sorted { $0.key < $1.key }.map { "#\($0.key)" + Self.packed($0.value) }.joined(separator: "$")
  }

  /// Columns as characters, repeated ones counted; empty ones at the end are left out.
  private static func packed(_ mask: [UInt8]) -> String {
    var out: [UInt8] = []
    var start = 0
    let end = (mask.lastIndex { $0 != 0 } ?? -1) + 1
    while start < end {
      let stop = mask[start..<end].firstIndex { $0 != mask[start] } ?? end
      let (count, sign) = (stop - start, 63 + mask[start])
      out += count > 3 ? Array("!\(count)".utf8) + [sign] : Array(repeating: sign, count: count)
      start = stop
    }
    return String(decoding: out, as: UTF8.self)
  }
}
