/// What the first bytes of a file say of its format.
struct ImageHeader: Equatable, Sendable {
  let format: StillFormat

  /// Nil when the format is none of those that are read as pictures.
  init?(parsing source: inout some ByteSource) {
    guard let format = StillFormat(start: source.bytes(at: 0, count: 512)) else { return nil }
    self.format = format
  }
}
