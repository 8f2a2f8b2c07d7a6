import Files
import Tensors

/// The front of a safetensors file: names, types, shapes and places of the tensors.
///
/// 8 bytes of length, so many bytes of JSON, then the elements without gaps; after
/// https://github.com/huggingface/safetensors#format.
struct SafetensorsHeader: Sendable {
  static let maximumByteCount = 100_000_000

  /// Bytes up to the first element, the length among them.
  private(set) var byteCount = 0
  /// Free text beside the tensors, in the file's order.
  private(set) var metadata: [(key: String, value: String)] = []
  /// In the file's order.
  private(set) var entries: [SafetensorsEntry] = []
  /// Position in `entries`, by name.
  private(set) var positions: [String: Int] = [:]

  /// Reads the header and checks it against the bytes that follow it.
  init(parsing bytes: inout CheckpointCursor) throws(CheckpointError) {
    let length = try bytes.count(UInt64.self)
    guard length <= bytes.remaining || length > Self.maximumByteCount || bytes.next != UInt8(ascii: "{") else {
      throw CheckpointError(
        path: bytes.path, "the file is cut short: its header alone has \(length) bytes, \(bytes.remaining) are there",
        advice: CheckpointError.unfinished)
    }
    guard length <= Self.maximumByteCount, length <= bytes.remaining else {
      throw bytes.failure(
        "the header's length is \(length), \(bytes.remaining) bytes are left", at: bytes.position - 8,
        advice: "this is no safetensors file, or it is incomplete: download or copy it again")
    }
    let start = bytes.position
    // The format's own reader takes no mark or white space before the object.
    guard bytes.next == UInt8(ascii: "{") else { throw bytes.failure("'{' is expected") }
    try parse(JSONReader(try bytes.bytes(length), path: bytes.path, at: start))
    byteCount = bytes.position
    try place(in: bytes)
  }

  private mutating func parse(_ json: JSONReader<CheckpointError>) throws(CheckpointError) {
    var json = json
    var header = self
    try json.object { (json: inout JSONReader<CheckpointError>, key: String) throws(CheckpointError) in
      if key == "__metadata__" {
        try header.parseMetadata(&json)
      } else {
        guard header.positions.updateValue(header.entries.count, forKey: key) == nil else {
          throw json.failure("the tensor '\(key)' occurs twice")
        }
        header.entries.append(try SafetensorsEntry(name: key, parsing: &json))
      }
    }
    try json.end()
    self = header
  }

  private mutating func parseMetadata(_ json: inout JSONReader<CheckpointError>) throws(CheckpointError) {
    var metadata: [(key: String, value: String)] = []
    guard self.metadata.isEmpty else { throw json.failure("'__metadata__' occurs twice") }
    try json.object { (json: inout JSONReader<CheckpointError>, key: String) throws(CheckpointError) in
      metadata.append((key, try json.string()))
    }
    self.metadata = metadata
  }

  /// Turns offsets from the first element into offsets from the start of the file.
  private mutating func place(in data: CheckpointCursor) throws(CheckpointError) {
    let need = entries.lazy.map(\.range.upperBound).max() ?? 0
    guard need <= data.remaining else {
      throw CheckpointError(
        path: data.path,
        "the file is cut short: its header describes \(need) bytes of tensors, \(data.remaining) are there",
        advice: CheckpointError.unfinished)
    }
    for i in entries.indices { try entries[i].place(in: data) }
    var end = data.position
    for entry in entries.sorted(by: {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }) {
      guard entry.range.lowerBound == end else {
        throw entry.failure(
          entry.range.lowerBound < end
            ? "its bytes overlap another tensor's"
            : "bytes \(end)..<\(entry.range.lowerBound) before it are no tensor's",
          path: data.path)
      }
      end = entry.range.upperBound
    }
    guard end == data.end else {
      throw data.failure(
        "\(data.end - end) bytes behind the last tensor", at: end, advice: CheckpointError.downloadAgain)
    }
  }
}
