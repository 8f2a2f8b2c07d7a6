// A storage as plain bytes, for the readers and writers of files; bounds are checked, nothing unsafe leaks out.

extension Storage {
  /// Fresh memory that `body` fills; it starts as zeros.
  public static func filled(byteCount: Int, _ body: (inout MutableSpan<UInt8>) -> Void) -> Storage {
    let storage = Storage(byteCount: byteCount)
    // SAFETY: the block was just made with this many initialised bytes and nobody else has seen it.
    let buffer = unsafe UnsafeMutableBufferPointer(
      start: storage.base.assumingMemoryBound(to: UInt8.self), count: byteCount)
    var span = unsafe buffer.mutableSpan
    body(&span)
    return storage
  }

  /// Fresh memory on a 64-byte boundary that holds a copy of `bytes`.
  public convenience init(copying bytes: Span<UInt8>) {
    self.init(byteCount: bytes.count)
    unsafe bytes.withUnsafeBytes { source in
      guard let start = source.baseAddress else { return }
      // SAFETY: the block was just made with source.count bytes, and cannot overlap memory that existed before it.
      unsafe base.copyMemory(from: start, byteCount: source.count)
    }
  }

  /// The byte at `offset`.
  @inlinable
  public subscript(byteAt offset: Int) -> UInt8 {
    precondition(offset >= 0 && offset < byteCount, "byte \(offset) of a storage of \(byteCount) bytes")
    // SAFETY: the offset was checked against the size of the block.
    return unsafe base.load(fromByteOffset: offset, as: UInt8.self)
  }

  /// A copy of all bytes.
  public var bytes: [UInt8] { copy(0..<byteCount) }

  /// A copy of a range of the bytes.
  public func copy(_ range: Range<Int>) -> [UInt8] {
    withBytes(in: range) { span in
      // SAFETY: the buffer is read while the span that it is of lives.
      unsafe span.withUnsafeBufferPointer { unsafe [UInt8]($0) }
    }
  }

  /// Reads a range of the bytes.
  public func withBytes<R, E: Error>(in range: Range<Int>, _ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= byteCount, "bytes \(range) of a storage of \(byteCount) bytes")
    let start = unsafe base.assumingMemoryBound(to: UInt8.self) + range.lowerBound
    // SAFETY: the range was checked against the size of the block, which this object keeps alive.
    let buffer = unsafe UnsafeBufferPointer(start: start, count: range.count)
    defer { withExtendedLifetime(self) {} }
    return try unsafe body(buffer.span)
  }
}

extension Tensor {
  /// The elements as they lie in memory, in the machine's byte order.
  public func withBytes<R, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
    try storage.withBytes(in: byteOffset..<byteOffset + byteCount, body)
  }
}
