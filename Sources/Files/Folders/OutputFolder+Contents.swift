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
    return try Descriptor.readToEnd(descriptor, limit: .max)
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

  /// Removes one file.
  public func discard(_ name: String) { Removal.remove(file(name)) }
}
