import Checkpoints
import Files
import Foundation
public import Layers
public import Tensors

/// A transformer's matrices as bytes, kept in a file, so that a checkpoint is quantized once and not at every start.
///
/// The file is in safetensors: each matrix that ``Precision/int8`` multiplies as I8 under its own name, its row scales
/// as F32 under the name with `_scale`, and checksums of all of it. It says which checkpoint it was made of, by a
/// checksum of the checkpoint's contents; one that does not fit, is damaged or cannot be read is made anew. It appears
/// under its name only when it is complete, is mapped, and used in place. Beside it a small `.identity` file spares the
/// reading of the whole checkpoint at every start.
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
  ///   - log: told in a line each when a file is made or replaced, and why one could not be.
  /// - Throws: `CancellationError` when the task is cancelled while a file is checked or made.
  public func source<N>(
    _ part: NetworkPart<N>, backend: any Backend, log: (String) -> Void
  ) throws -> any WeightSource {
    let path = path(of: part.source)
    let isThere = FileManager.default.fileExists(atPath: path)
    do {
      // Where nothing is kept and nothing can be, the checkpoint need not be read for its checksum.
      if !isThere { try prepare(path) }
      guard let contents = try CheckpointIdentity(part.source, record: record(of: path)).contents() else {
        throw CheckpointError(path: part.source.location, "it cannot be read as a file")
      }
      let kept = Kept(path: path, identity: "\(Self.scheme); \(contents)", requests: part.demand.quantizable)
      if isThere, let file = try kept.file(log) { return QuantizedSource(part.source, kept: file) }
      if !isThere { log("keeping int8 weights in \(path)") }
      try kept.make(part.source, backend)
      return QuantizedSource(part.source, kept: try kept.open())
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      log("int8 weights are not kept: \(error)")
      return part.source
    }
  }

  /// Makes the folder, and sees whether a file can be made there.
  private func prepare(_ path: String) throws(FileError) {
    if case .folder(let folder) = place { try OutputFile.makeFolder(path: folder) }
    _ = try OutputFile(path: path)
  }

  private func record(of path: String) -> String { path.dropLast(Self.ending.count) + ".identity" }

  private func path(of source: any WeightSource) -> String {
    let url = URL(fileURLWithPath: source.location)
    let stem = url.lastPathComponent.split(separator: ".").first.map(String.init) ?? "weights"
    switch place {
    case .besideModel:
      return url.deletingLastPathComponent().path + "/\(stem)\(Self.ending)"
    case .folder(let folder):
      let hash = Checksum(Array(url.resolvingSymlinksInPath().path.utf8).span).value
      return "\(folder)/\(stem)-\(String(hash, radix: 16))\(Self.ending)"
    }
  }

  private static let ending = ".int8"
  /// Counts up when bytes are made in another way.
  private static let scheme = "symmetric rows 2"
}

/// One file of quantized matrices: where it lies, what it must be of, what it must hold.
private struct Kept {
  let path, identity: String
  let requests: [TensorRequest]

  /// The file as it is; `nil`, and a line to `log`, when it cannot be used.
  func file(_ log: (String) -> Void) throws -> SafetensorsFile? {
    do {
      return try open()
    } catch let error as CheckpointError {
      log("replacing int8 weights that cannot be used: \(error.cause)")
      return nil
    }
  }

  /// The file, when every byte of it is as it was written.
  ///
  /// - Throws: `CheckpointError` saying what is wrong with it; `CancellationError`.
  func open() throws -> SafetensorsFile {
    let file = try SafetensorsFile(path: path)
    guard file.metadata.contains(where: { $0.key == "checkpoint" && $0.value == identity }) else {
      throw CheckpointError(path: path, "it is not of this checkpoint, or of another version")
    }
    for request in requests {
      let scales = TensorDescriptor(shape: [request.shape[0]], dtype: .f32)
      guard file.descriptor(request.name) == TensorDescriptor(shape: request.shape, dtype: .i8),
        file.descriptor(request.name + QuantizedRows.scaleSuffix) == scales
      else { throw CheckpointError(path: path, at: .key(request.name), "the tensor is missing or of another shape") }
    }
    try file.checkSeal { Task.isCancelled }
    return file
  }

  /// Writes one matrix after the other; memory is that of one, and all scales.
  func make(_ source: any WeightSource, _ backend: any Backend) throws {
    let values = requests.map { SafetensorsWriter.Entry(name: $0.name, shape: $0.shape, dtype: .i8) }
    let scales = requests.map {
      SafetensorsWriter.Entry(name: $0.name + QuantizedRows.scaleSuffix, shape: [$0.shape[0]], dtype: .f32)
    }
    var writer = try SealedSafetensorsWriter(
      path: path, entries: values + scales, metadata: [("checkpoint", identity)])
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
}

/// A checkpoint some of whose matrices come as bytes from another file, with row scales beside them.
struct QuantizedSource: WeightSource {
  let names: [String]
  private let base: any WeightSource
  private let kept: SafetensorsFile

  /// - Parameter kept: matrices under names of the checkpoint's, and their scales.
  init(_ base: any WeightSource, kept: SafetensorsFile) {
    self.base = base
    self.kept = kept
    names = base.names + kept.names.filter { $0.hasSuffix(QuantizedRows.scaleSuffix) }
  }

  var location: String { base.location }
  var files: [String] { base.files + kept.files }

  func descriptor(_ name: String) -> TensorDescriptor? {
    kept.descriptor(name) ?? base.descriptor(name)
  }

  func tensor(_ name: String) throws(WeightError) -> Tensor {
    try kept.descriptor(name) == nil ? base.tensor(name) : kept.tensor(name)
  }

  func discardCachedPages() {
    base.discardCachedPages()
    kept.discardCachedPages()
  }
}
