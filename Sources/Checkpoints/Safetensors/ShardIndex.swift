import Files
import Tensors

/// The `.safetensors.index.json` of a sharded checkpoint: which file holds which tensor.
struct ShardIndex: Sendable {
  /// Tensor and file, in the index's order.
  private(set) var placements: [(tensor: String, file: String)] = []

  /// `{"metadata": {...}, "weight_map": {"a.weight": "model-00001-of-00002.safetensors", ...}}`
  init(parsing bytes: CheckpointCursor) throws(CheckpointError) {
    var bytes = bytes
    let start = bytes.position
    var json = JSONReader<CheckpointError>(try bytes.bytes(bytes.remaining), path: bytes.path, at: start)
    var map: [(tensor: String, file: String)]?
    try json.object { (json: inout JSONReader<CheckpointError>, key: String) throws(CheckpointError) in
      guard key == "weight_map" else { return try json.skip() }
      guard map == nil else { throw json.failure("'weight_map' occurs twice") }
      map = try Self.weightMap(&json)
    }
    try json.end()
    guard let map else {
      throw CheckpointError(
        path: bytes.path, "it has no 'weight_map'", advice: "give the .index.json of a sharded checkpoint")
    }
    placements = map
  }

  /// What file systems allow, in bytes.
  private static let longestFileName = 255

  /// Whether the bytes name a file in the index's own folder. As characters a slash before a combining mark is none.
  private static func isFileName(_ file: String) -> Bool {
    let bytes = Array(file.utf8)
    return !bytes.isEmpty && !bytes.contains(UInt8(ascii: "/")) && !bytes.contains(0) && bytes != Array(".".utf8)
      && bytes != Array("..".utf8)
  }

  private static func weightMap(
    _ json: inout JSONReader<CheckpointError>
  ) throws(CheckpointError) -> [(tensor: String, file: String)] {
    var map: [(tensor: String, file: String)] = []
    var seen: Set<String> = []
    try json.object { (json: inout JSONReader<CheckpointError>, tensor: String) throws(CheckpointError) in
      let file = try json.string(limit: longestFileName)
      guard isFileName(file) else {
        throw json.failure("the shard '\(file)' of the tensor '\(tensor)' is not the name of a file beside the index")
      }
      guard seen.insert(tensor).inserted else { throw json.failure("the tensor '\(tensor)' occurs twice") }
      map.append((tensor, file))
    }
    return map
  }
}
