/// Builds small zip archives, also odd ones.
struct ZipBuilder {
  var isZip64 = false
  var method: UInt16 = 0
  var flags: UInt16 = 0
  /// Sizes of zero in the local header and a descriptor behind the content.
  var hasDescriptors = false
  var comment: [UInt8] = []
  private var body: [UInt8] = []
  private var directory: [UInt8] = []
  private var count: UInt64 = 0

  init() {}

  mutating func add(_ name: String, _ content: [UInt8]) {
    let start = UInt64(body.count)
    let size = UInt64(content.count)
    let localSize = hasDescriptors ? 0 : UInt32(size)
    body += UInt32(0x0403_4B50).littleEndianBytes + UInt16(20).littleEndianBytes
    body += (flags | (hasDescriptors ? 8 : 0)).littleEndianBytes + method.littleEndianBytes
    body += [UInt8](repeating: 0, count: 8) + localSize.littleEndianBytes + localSize.littleEndianBytes
    body += UInt16(name.utf8.count).littleEndianBytes + UInt16(0).littleEndianBytes + Array(name.utf8) + content
    if hasDescriptors { body += [UInt8](repeating: 0, count: 16) }

    let extra = size.littleEndianBytes + size.littleEndianBytes + start.littleEndianBytes
    let field = isZip64 ? UInt16(1).littleEndianBytes + UInt16(extra.count).littleEndianBytes + extra : []
    directory += UInt32(0x0201_4B50).littleEndianBytes + [UInt8](repeating: 0, count: 4)
    directory += flags.littleEndianBytes + method.littleEndianBytes + [UInt8](repeating: 0, count: 8)
    directory += narrow(size) + narrow(size)
    directory += UInt16(name.utf8.count).littleEndianBytes + UInt16(field.count).littleEndianBytes
    directory += [UInt8](repeating: 0, count: 10) + narrow(start) + Array(name.utf8) + field
    count += 1
  }

  var bytes: [UInt8] {
    let start = UInt64(body.count)
    let size = UInt64(directory.count)
    var end: [UInt8] = []
    if isZip64 {
      end += UInt32(0x0606_4B50).littleEndianBytes + UInt64(44).littleEndianBytes + [UInt8](repeating: 0, count: 12)
      end += count.littleEndianBytes + count.littleEndianBytes + size.littleEndianBytes + start.littleEndianBytes
      end += UInt32(0x0706_4B50).littleEndianBytes + UInt32(0).littleEndianBytes
      end += (start + size).littleEndianBytes + UInt32(1).littleEndianBytes
    }
    end += UInt32(0x0605_4B50).littleEndianBytes + UInt32(0).littleEndianBytes
    let short = isZip64 ? UInt16.max : UInt16(count)
    end += short.littleEndianBytes + short.littleEndianBytes + narrow(size) + narrow(start)
    return body + directory + end + UInt16(comment.count).littleEndianBytes + comment
  }

  private func narrow(_ value: UInt64) -> [UInt8] {
    (isZip64 ? .max : UInt32(value)).littleEndianBytes
  }
}
