import Checkpoints
import Foundation
import Tensors
import WanModels

/// Encoded prompts kept in a folder, so that a prompt asked for again needs no text encoder.
///
/// An entry depends on the token ids, the encoder's file (path, size, date of change) and the precision; each is
/// stored beside the vectors and compared on reading. An entry that does not fit or cannot be read is made anew.
public struct PromptCache: Sendable {
  private let folder: String

  /// - Parameter folder: made when the first prompt is kept.
  public init(folder: String) {
    self.folder = folder
  }

  /// The vectors [n, textDimension] of a prompt that was kept.
  func context(_ ids: [Int32], _ encoder: ModelFolder.TextEncoderPart, _ precision: Precision) -> Tensor? {
    guard let identity = identity(encoder, precision),
      let file = try? SafetensorsFile(path: path(ids, identity)),
      file.metadata.contains(where: { $0.key == "encoder" && $0.value == identity }),
      let storedIDs = try? file.tensor("ids"), storedIDs.dtype == .i32,
      let context = try? file.tensor("context"), context.dtype == .f32,
      context.shape == [ids.count, encoder.configuration.dimension]
    else { return nil }
    let isSame = storedIDs.withSpan(of: Int32.self) { span in
      span.count == ids.count && ids.indices.allSatisfy { span[$0] == ids[$0] }
    }
    return isSame ? context : nil
  }

  /// Keeps a prompt's vectors; a folder that cannot be written is no reason to fail.
  func keep(_ context: Tensor, _ ids: [Int32], _ encoder: ModelFolder.TextEncoderPart, _ precision: Precision) {
    guard let identity = identity(encoder, precision) else { return }
    let stored = Tensor.filled(shape: [ids.count], dtype: .i32, as: Int32.self) { span in
      for i in ids.indices { span[i] = ids[i] }
    }
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      var writer = try SafetensorsWriter(
        path: path(ids, identity),
        entries: [
          .init(name: "context", shape: context.shape, dtype: .f32),
          .init(name: "ids", shape: stored.shape, dtype: .i32),
        ],
        metadata: [("encoder", identity)])
      try writer.write(context, as: "context")
      try writer.write(stored, as: "ids")
      try writer.finish()
    } catch {
      return
    }
  }

  private func path(_ ids: [Int32], _ identity: String) -> String {
    // FNV-1a: a file name only; the contents decide whether an entry fits.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in Array(identity.utf8) + ids.flatMap(littleEndian) {
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
    }
    return "\(folder)/prompt-\(String(hash, radix: 16)).safetensors"
  }

  private func littleEndian(_ value: Int32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  /// What an encoder is known by; `nil` when its file cannot be looked at.
  private func identity(_ encoder: ModelFolder.TextEncoderPart, _ precision: Precision) -> String? {
    let path = URL(fileURLWithPath: encoder.source.location).resolvingSymlinksInPath().path
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
      let size = attributes[.size] as? NSNumber, let date = attributes[.modificationDate] as? Date
    else { return nil }
    return "\(path) \(size) \(date.timeIntervalSince1970) \(precision.rawValue)"
  }
}
