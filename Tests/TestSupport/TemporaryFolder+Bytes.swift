#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

extension TemporaryFolder {
  /// Makes an empty file whose name is these bytes, which need not be UTF-8.
  public func makeFile(named name: [UInt8], in folder: String = "") throws {
    let bytes = Array("\(path)/\(folder)".utf8) + (folder.isEmpty ? [] : [0x2F]) + name + [0]
    // SAFETY: the name ends with a zero and lives as long as the call.
    let descriptor = unsafe bytes.withUnsafeBytes { raw in
      unsafe raw.withMemoryRebound(to: CChar.self) { name in
        unsafe name.baseAddress.map { unsafe open($0, O_CREAT | O_WRONLY, 0o600) } ?? -1
      }
    }
    guard descriptor >= 0 else { throw NotMade(name: name) }
    close(descriptor)
  }

  private struct NotMade: Error {
    let name: [UInt8]
  }
}
