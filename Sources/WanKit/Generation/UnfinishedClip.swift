import Checkpoints
import Files
import Foundation
import Tensors

/// A run that failed when its sampling was done: the latents, which are most of its work, are kept.
public struct UnfinishedClip: Error, CustomStringConvertible {
  /// What failed: decoding, the encoder, the disk.
  public let reason: any Error
  /// The safetensors file with the tensor `latents` [C, T, h, w], float32.
  public let latents: String

  /// A failure, which a caller may have told in words of its own, and the file that is left.
  public init(reason: any Error, latents: String) {
    (self.reason, self.latents) = (reason, latents)
  }

  public var description: String { "\(reason)\nthe sampled latents are kept in '\(latents)'" }
}

/// Where latents go when there is nothing else to go on with.
struct LatentKeeper {
  /// The clip that they were for; its name gives theirs.
  let clip: String
  /// What the clip would have told of itself.
  let metadata: String?

  /// Writes the latents beside the clip, or where that cannot be, among the temporary files.
  ///
  /// - Returns: their file; `nil` when nowhere could be written.
  func keep(_ latents: Tensor) -> String? {
    for folder in [Paths.folder(of: clip), FileManager.default.temporaryDirectory.path] {
      if let path = write(latents, in: folder) { return path }
    }
    return nil
  }

  private func write(_ latents: Tensor, in folder: String) -> String? {
    let stem = Paths.prefix(of: Paths.parts(of: Paths.name(of: clip)).stem, bytes: 100)
    let names = [""] + (2...99).map { "-\($0)" } + ["-" + String(UInt64.random(in: .min ... .max), radix: 16)]
    let paths = names.map { Paths.join(folder, "\(stem).latents\($0).safetensors") }
    guard let path = paths.first(where: { FileStatus(path: $0, followingLinks: false) == nil }) else { return nil }
    do {
      let comment = metadata.map { [(key: "comment", value: $0)] } ?? []
      var writer = try SafetensorsWriter(
        path: path, entries: [.init(name: "latents", shape: latents.shape, dtype: latents.dtype)], metadata: comment)
      try writer.write(latents, as: "latents")
      try writer.finish()
      return path
    } catch {
      return nil
    }
  }
}
