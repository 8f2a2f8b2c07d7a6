/// How one HEIF item is coded, from its configuration property, and how its bytes become a stream that ffmpeg decodes.
struct HEIFCoding {
  let codec: PictureCodec
  let sampling: ChromaLayout.Sampling
  let depth: Int
  private let size: (width: Int, height: Int)
  private let configuration: [UInt8]

  init(_ container: HEIFFile, _ id: Int) throws(Refusal) {
    let item = try container.item(id)
    func property(_ kind: String) throws(Refusal) -> ByteReader {
      guard let found = item.properties.first(where: { $0.kind == kind }) else {
        throw .damaged("its HEIF item \(id) has no '\(kind)'")
      }
      return ByteReader(bytes: found.body)
    }
    let ispe = try property("ispe")
    size = (ispe.integer(at: 4, size: 4) ?? 0, ispe.integer(at: 8, size: 4) ?? 0)
    switch item.kind {
    case "hvc1", "hev1":
      let reader = try property("hvcC")
      codec = .hevc
      guard let format = reader.integer(at: 16, size: 1), let luma = reader.integer(at: 17, size: 1),
        let chroma = reader.integer(at: 18, size: 1), luma & 7 == chroma & 7 || format & 3 == 0
      else { throw .unread("a HEIF picture of unequal depths") }
      sampling = [.grey, .quarter, .halfWidth, .full][format & 3]
      (depth, configuration) = (8 + luma & 7, reader.bytes)
    case "av01":
      let reader = try property("av1C")
      codec = .av1
      guard let bits = reader.integer(at: 2, size: 1) else { throw .damaged("its AV1 configuration ends early") }
      sampling = bits & 0x10 != 0 ? .grey : bits & 8 == 0 ? .full : bits & 4 == 0 ? .halfWidth : .quarter
      (depth, configuration) = (bits & 0x40 == 0 ? 8 : bits & 0x20 == 0 ? 10 : 12, reader.bytes)
    case let kind: throw .unread("a HEIF picture coded as '\(kind.printable)'")
    }
    guard [8, 10, 12].contains(depth) else { throw .unread("a HEIF picture of \(depth) bits per channel") }
  }

  /// Whether both come out of one decoder in the same form.
  func isLike(_ other: HEIFCoding) -> Bool {
    codec == other.codec && sampling == other.sampling && depth == other.depth && size == other.size
  }

  /// One picture's part of the stream, which needs nothing of what stands before it.
  func frame(_ data: [UInt8]) throws(Refusal) -> [UInt8] {
    if codec == .av1 {
      // A temporal delimiter, the sequence header of the configuration, the picture.
      let unit = [0x12, 0] + configuration.dropFirst(4) + data
      return Self.little(unit.count, 4) + [UInt8](repeating: 0, count: 8) + unit
    }
    let lengthSize = (ByteReader(bytes: configuration).integer(at: 21, size: 1) ?? 0) & 3 + 1
    var units = try HEVCConfiguration(configuration).parameterSets
    let reader = ByteReader(bytes: data)
    var offset = 0
    while let length = reader.integer(at: offset, size: lengthSize) {
      let unit = offset + lengthSize..<offset + lengthSize + length
      guard unit.upperBound <= data.count else { throw .damaged("it ends within its picture") }
      units.append(Array(data[unit]))
      offset = unit.upperBound
    }
    // An end of sequence: the decoder lets go of the picture and begins anew.
    units.append([36 << 1, 1])
    return units.flatMap { [0, 0, 0, 1] + $0 }
  }

  /// The whole stream: HEVC's as it is, AV1's in IVF.
  func stream(of frames: [[UInt8]]) -> [UInt8] {
    guard codec == .av1 else { return Array(frames.joined()) }
    var head = Array("DKIF".utf8) + [0, 0, 32, 0] + Array("AV01".utf8)
    head += Self.little(size.width, 2) + Self.little(size.height, 2) + Self.little(25, 4) + Self.little(1, 4)
    head += Self.little(frames.count, 4) + [0, 0, 0, 0]
    // Each frame's time follows its size of four bytes.
    let timed = frames.enumerated().map { i, frame in frame[..<4] + Self.little(i, 8) + frame[12...] }
    return head + timed.joined()
  }

  /// The colours that the coded picture itself tells, where the file around it does not.
  ///
  /// - Parameter data: the item's bytes.
  func colour(_ data: [UInt8]) throws(Refusal) -> ColourMatrix {
    if codec == .hevc { return try HEVCConfiguration(configuration).colour() }
    if let told = try AV1Sequence.colour(in: Array(configuration.dropFirst(4)) + data) { return told }
    throw .damaged("its AV1 picture has no sequence header")
  }

  private static func little(_ value: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
