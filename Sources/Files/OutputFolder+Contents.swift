#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

// Files inside the hidden folder, while they are made.

extension OutputFolder {
  /// The bytes of a file in the folder.
  public func bytes(of name: String) throws(OutputError) -> [UInt8] {
    let descriptor = unsafe open(file(name), O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw OutputError(systemReason()) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = try Descriptor.read(descriptor, into: &block)
      if count == 0 { return bytes }
      bytes += block[..<count]
    }
  }

  /// Puts other bytes in a file's place: written beside it first, so that it stays whole when that fails.
  public func replace(_ name: String, with bytes: [UInt8]) throws(OutputError) {
    let other = name + ".new"
    let stream = try OutputStreamFile(path: file(other))
    do throws(OutputError) {
      try stream.write(bytes.span)
      try stream.close()
      guard unsafe rename(file(other), file(name)) == 0 else { throw OutputError(systemReason()) }
    } catch {
      discard(other)
      throw error
    }
  }

  /// Copies what a descriptor gives, to its end, into a file of the folder.
  ///
  /// - Throws: ``OutputError``, also for more than `limit` bytes.
  public func fill(_ name: String, from descriptor: Int32, limit: Int) throws(OutputError) {
    let target = try OutputStreamFile(path: file(name))
    var block = [UInt8](repeating: 0, count: 1 << 16)
    var total = 0
    while true {
      let count = try Descriptor.read(descriptor, into: &block)
      if count == 0 { return try target.close() }
      total += count
      guard total <= limit else { throw OutputError("it has more than \(limit) bytes") }
      try target.write(block.span.extracting(0..<count))
    }
  }

  /// Removes one file.
  public func discard(_ name: String) { Removal.remove(file(name)) }
}
