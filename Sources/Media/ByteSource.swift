import Foundation

/// Bytes at any position, of a file outside of tests.
///
/// Another thing than `Files.ByteCursor`, which walks through bytes that are all there: headers of pictures are looked at
/// here and there, in either byte order, of files that are not held, and what is not there is no error but no picture.
protocol ByteSource {
  /// The bytes from `offset` on: fewer than `count` at the end, none past it.
  mutating func bytes(at offset: Int, count: Int) -> [UInt8]
}

/// A file read piecemeal, so that a header is found without holding the file.
struct FileSource: ByteSource {
  private let handle: FileHandle

  init?(path: String) {
    guard let handle = FileHandle(forReadingAtPath: path) else { return nil }
    self.handle = handle
  }

  func bytes(at offset: Int, count: Int) -> [UInt8] {
    do {
      try handle.seek(toOffset: UInt64(max(offset, 0)))
      return Array(try handle.read(upToCount: count) ?? Data())
    } catch {
      return []
    }
  }
}

/// Whole numbers inside a short run of bytes; nil where they lie outside.
struct ByteReader {
  let bytes: [UInt8]
  var littleEndian = false

  func integer(at offset: Int, size: Int) -> Int? {
    guard offset >= 0, offset <= bytes.count - size else { return nil }
    let part = bytes[offset..<offset + size]
    return littleEndian ? part.reversed().reduce(0) { $0 << 8 | Int($1) } : part.reduce(0) { $0 << 8 | Int($1) }
  }

  func little(at offset: Int, size: Int) -> Int? {
    ByteReader(bytes: bytes, littleEndian: true).integer(at: offset, size: size)
  }

  func starts(with text: String, at offset: Int = 0) -> Bool {
    let expected = Array(text.utf8)
    return offset >= 0 && offset <= bytes.count - expected.count
      && bytes[offset..<offset + expected.count].elementsEqual(expected)
  }
}

extension ByteReader {
  /// Four characters of Latin-1, as chunks and boxes are named.
  func name(at offset: Int) -> String? {
    guard offset >= 0, offset <= bytes.count - 4 else { return nil }
    return String(String.UnicodeScalarView(bytes[offset..<offset + 4].map { Unicode.Scalar($0) }))
  }
}

extension String {
  /// Without control characters, which a damaged file's names may hold.
  var printable: String {
    String(String.UnicodeScalarView(unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
  }
}
