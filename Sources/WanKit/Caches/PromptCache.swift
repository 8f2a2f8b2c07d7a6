import Checkpoints
import Files
import Foundation
import Layers
import Tensors
import WanModels

/// Encoded prompts kept in a folder, so that a prompt asked for again needs no text encoder.
///
/// An entry depends on the token ids, the contents of the encoder's files and the precision; each is stored beside the
/// vectors and compared on reading, as are checksums over the whole entry. An entry that is damaged is made anew.
public struct PromptCache: Sendable {
  private let folder: String

  /// - Parameter folder: made when a run first looks for a prompt; one that cannot be made, read or written costs a
  ///   notice and nothing else.
  public init(folder: String) {
    self.folder = folder
  }

  /// The prompts of one encoder; `nil` where none can be kept.
  ///
  /// - Parameter log: told in a line why not.
  /// - Throws: `CancellationError` when the task is cancelled while the encoder's files are read.
  func prompts(
    of encoder: NetworkPart<UMT5Encoder>, _ precision: Precision, log: (String) -> Void
  ) throws -> KeptPrompts? {
    do throws(FileError) {
      try OutputFile.makeFolder(path: folder)
    } catch {
      log("prompts are not kept: \(error)")
      return nil
    }
    let location = URL(fileURLWithPath: encoder.source.location).resolvingSymlinksInPath().path
    let record = "\(folder)/encoder-\(String(Checksum(Array(location.utf8).span).value, radix: 16)).identity"
    guard let contents = try CheckpointIdentity(encoder.source, record: record).contents() else {
      log("prompts are not kept: \(encoder.source.location) cannot be read as a file")
      return nil
    }
    return KeptPrompts(
      folder: folder, identity: "umt5 1; \(contents); \(precision.rawValue)", width: encoder.configuration.dimension)
  }
}

/// The entries of one encoder in one precision.
struct KeptPrompts {
  fileprivate let folder: String
  /// What the vectors depend on beside the token ids; counts up when they are made in another way.
  fileprivate let identity: String
  /// Of a vector.
  fileprivate let width: Int

  /// The vectors [n, textDimension] of a prompt that was kept.
  func context(_ ids: [Int32], log: (String) -> Void) -> Tensor? {
    let path = path(ids)
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    do {
      let file = try SafetensorsFile(path: path)
      try file.checkSeal()
      guard file.metadata.contains(where: { $0.key == "encoder" && $0.value == identity }),
        file.descriptor("ids") == TensorDescriptor(shape: [ids.count], dtype: .i32),
        file.descriptor("context") == TensorDescriptor(shape: [ids.count, width], dtype: .f32)
      else { return nil }
      let isSame = try file.tensor("ids").withSpan(of: Int32.self) { span in
        ids.indices.allSatisfy { span[$0] == ids[$0] }
      }
      return isSame ? try file.tensor("context") : nil
    } catch {
      let cause = (error as? CheckpointError)?.cause ?? "\(path): \(error)"
      log("a kept prompt cannot be used and is encoded anew: \(cause)")
      return nil
    }
  }

  /// Keeps prompts; the first that cannot be written is told, and the rest is left.
  func keep(_ prompts: [(ids: [Int32], context: Tensor)], log: (String) -> Void) {
    do throws(CheckpointError) {
      for (ids, context) in prompts { try keep(context, ids) }
    } catch {
      log("prompts are not kept: \(error)")
    }
  }

  private func keep(_ context: Tensor, _ ids: [Int32]) throws(CheckpointError) {
    let stored = Tensor.filled(shape: [ids.count], dtype: .i32, as: Int32.self) { span in
      for i in ids.indices { span[i] = ids[i] }
    }
    var writer = try SealedSafetensorsWriter(
      path: path(ids),
      entries: [
        .init(name: "context", shape: context.shape, dtype: .f32),
        .init(name: "ids", shape: stored.shape, dtype: .i32),
      ],
      metadata: [("encoder", identity)])
    try writer.write(context, as: "context")
    try writer.write(stored, as: "ids")
    try writer.finish()
  }

  /// A file name only; the contents decide whether an entry fits.
  private func path(_ ids: [Int32]) -> String {
    var checksum = Checksum(Array(identity.utf8).span)
    for id in ids { checksum.add(UInt64(truncatingIfNeeded: id)) }
    return "\(folder)/prompt-\(String(checksum.value, radix: 16)).safetensors"
  }
}
