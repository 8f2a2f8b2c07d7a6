import Checkpoints
import Foundation
import Layers
public import Tensors
import WanModels

/// A transformer's matrices as bytes, kept in a file, so that a checkpoint is quantized once and not at every start.
///
/// The file is in safetensors: each matrix that ``Precision/int8`` multiplies as I8 under its own name, its row scales
/// as F32 under the name with `_scale`. It says which checkpoint it was made of, by the files' names, sizes and dates of
/// change and a fingerprint of the matrices; one that does not fit or cannot be read is made anew. It appears under its
/// name only when it is complete, is mapped, and used in place.
public struct QuantizedWeightCache: Sendable {
  /// Where the files lie.
  public enum Place: Sendable, Hashable {
    /// Beside each checkpoint, as `diffusion_pytorch_model.int8`.
    case besideModel
    /// In a folder, made when the first file is kept; the name of a file holds a hash of its checkpoint's path.
    case folder(String)
  }

  private let place: Place

  /// Nothing is looked for or written before a plan in ``Precision/int8`` runs.
  public init(_ place: Place) {
    self.place = place
  }

  /// The checkpoint with its matrices as they are kept, after keeping them where they are not yet; the checkpoint
  /// itself where they cannot be kept.
  ///
  /// - Parameters:
  ///   - backend: quantizes where a file is made.
  ///   - log: told in a line each when a file is made, and why one could not be.
  /// - Throws: `CancellationError` when the task is cancelled while a file is made.
  public func source(
    _ part: ModelFolder.TransformerPart, backend: any Backend, log: (String) -> Void
  ) throws -> any WeightSource {
    let requests = part.quantizableRequests
    guard let identity = Self.identity(part.source, requests) else { return part.source }
    let path = path(of: part.source)
    if let kept = Self.open(path, identity, requests) { return QuantizedSource(part.source, kept: kept) }
    let isReplaced = FileManager.default.fileExists(atPath: path)
    log("\(isReplaced ? "replacing, as it is not of this checkpoint," : "keeping") int8 weights in \(path)")
    do {
      try keep(path, identity, requests, part.source, backend)
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      log("int8 weights are not kept: \((error as? CheckpointError)?.description ?? error.localizedDescription)")
    }
    return Self.open(path, identity, requests).map { QuantizedSource(part.source, kept: $0) } ?? part.source
  }

  private static func open(_ path: String, _ identity: String, _ requests: [TensorRequest]) -> SafetensorsFile? {
    guard let file = try? SafetensorsFile(path: path),
      file.metadata.contains(where: { $0.key == "checkpoint" && $0.value == identity }),
      requests.allSatisfy({ request in
        let scales = TensorDescriptor(shape: [request.shape[0]], dtype: .f32)
        return file.descriptor(request.name) == TensorDescriptor(shape: request.shape, dtype: .i8)
          && file.descriptor(request.name + Weights.scaleSuffix) == scales
      })
    else { return nil }
    return file
  }

  /// Writes one matrix after the other; memory is that of one, and all scales.
  private func keep(
    _ path: String, _ identity: String, _ requests: [TensorRequest], _ source: any WeightSource,
    _ backend: any Backend
  ) throws {
    if case .folder(let folder) = place {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
    let values = requests.map { SafetensorsWriter.Entry(name: $0.name, shape: $0.shape, dtype: .i8) }
    let scales = requests.map {
      SafetensorsWriter.Entry(name: $0.name + Weights.scaleSuffix, shape: [$0.shape[0]], dtype: .f32)
    }
    var writer = try SafetensorsWriter(path: path, entries: values + scales, metadata: [("checkpoint", identity)])
    var rowScales: [Tensor] = []
    for request in requests {
      try Task.checkCancellation()
      let rows = backend.quantizedRows(try source.tensor(request.name))
      try writer.write(rows.values, as: request.name)
      rowScales.append(rows.scales)
    }
    for (entry, tensor) in zip(scales, rowScales) { try writer.write(tensor, as: entry.name) }
    try writer.finish()
  }

  private func path(of source: any WeightSource) -> String {
    let url = URL(fileURLWithPath: source.location)
    let stem = url.lastPathComponent.split(separator: ".").first.map(String.init) ?? "weights"
    switch place {
    case .besideModel:
      return url.deletingLastPathComponent().path + "/\(stem).int8"
    case .folder(let folder):
      var hash = Fingerprint()
      hash.add(Array(url.resolvingSymlinksInPath().path.utf8).span)
      return "\(folder)/\(stem)-\(hash.text).int8"
    }
  }
}

extension QuantizedWeightCache {
  /// Counts up when bytes are made in another way.
  private static let scheme = "symmetric rows 1"

  /// What a checkpoint is known by; `nil` when its files cannot be looked at.
  private static func identity(_ source: any WeightSource, _ requests: [TensorRequest]) -> String? {
    var words = [scheme]
    for file in source.files {
      let url = URL(fileURLWithPath: file).resolvingSymlinksInPath()
      guard let attributes = try? FileManager.default.attributesOfItem(atPath: url.path),
        let size = attributes[.size] as? NSNumber, let date = attributes[.modificationDate] as? Date
      else { return nil }
      words.append("\(url.lastPathComponent) \(size) \(date.timeIntervalSince1970)")
    }
    var fingerprint = Fingerprint()
    for request in requests {
      guard let tensor = try? source.tensor(request.name) else { return nil }
      fingerprint.add(Array("\(request.name) \(tensor.dtype.rawValue) \(tensor.shape)".utf8).span)
      tensor.withBytes { bytes in
        for part in 0..<samples {
          let start = max(0, bytes.count - sampleBytes) / samples * part
          fingerprint.add(bytes.extracting(start..<min(bytes.count, start + sampleBytes)))
        }
      }
    }
    words.append(fingerprint.text)
    return words.joined(separator: "; ")
  }

  /// Stretches of each matrix that the fingerprint takes in, and their length.
  private static let (samples, sampleBytes) = (4, 64)
}

/// FNV-1a.
private struct Fingerprint {
  private var hash: UInt64 = 0xCBF2_9CE4_8422_2325

  mutating func add(_ bytes: Span<UInt8>) {
    for i in bytes.indices { hash = (hash ^ UInt64(bytes[i])) &* 0x100_0000_01B3 }
  }

  var text: String { String(hash, radix: 16) }
}
