import Checkpoints
import Files
import Foundation
import Layers
public import Tensors
public import WanModels

/// A conversion with everything found, checked and decided: which files it will write.
///
/// Nothing appears under the output's name before all of it is written and read back.
public struct Conversion: Sendable {
  /// As asked for, with the layout that was chosen.
  public let request: ConversionRequest
  /// The checkpoints, by their names below the output.
  private let networks: [(name: String, network: NetworkConversion)]
  /// Small files beside them.
  private let texts: [(name: String, bytes: [UInt8])]
  /// What users should know.
  public let notices: [String]
  /// Whether the output is one file.
  public let isFile: Bool

  /// Bytes that will be written, but for the small files.
  public var byteCount: Int { networks.reduce(0) { $0 + $1.network.byteCount } }

  /// The files that will be written, by their names below the output.
  public var files: [(name: String, bytes: Int, types: [String: Int])] {
    networks.map { (shown($0.name), $0.network.byteCount, $0.network.formats) }
  }

  /// A name without the folder that becomes the output.
  private func shown(_ name: String) -> String {
    let root = PlannedFiles.root + "/"
    return !isFile && name.hasPrefix(root) ? String(name.dropFirst(root.count)) : name
  }

  /// Opens the input and checks all that can be wrong; reads headers, tokenizer and LoRAs.
  ///
  /// - Throws: ``ConversionError``, ``ModelError``, ``RequestError``; what a LoRA or a tokenizer throws.
  public init(_ request: ConversionRequest) throws {
    let request = request.withoutSlash
    let planned: PlannedFiles
    let isFile: Bool
    if FolderListing.isFolder(request.input), let model = try Self.model(request.input) {
      isFile = false
      let ending = Paths.name(of: request.output).lowercased()
      guard !ending.hasSuffix(".safetensors"), !ending.hasSuffix(".gguf") else {
        throw ConversionError("\(request.output): a model is several files; name a folder to make")
      }
      planned = try PlannedFiles(ConvertedModel(model), request)
    } else {
      isFile = true
      planned = try PlannedFiles(file: request)
    }
    try self.init(planned, isFile: isFile)
  }

  /// A model of random numbers, as a folder.
  ///
  /// - Throws: ``ConversionError``.
  public init(
    _ model: SyntheticModel, seed: UInt64 = 0, to output: String, as format: StorageFormat = .bf16,
    layout: StorageLayout? = nil
  ) throws {
    let request = ConversionRequest(input: model.family.name, output: output, format: format, layout: layout)
      .withoutSlash
    try self.init(PlannedFiles(ConvertedModel(model, seed: seed), request), isFile: false)
  }

  /// A tiny autoencoder of random numbers, as one safetensors file.
  ///
  /// - Throws: ``ConversionError``.
  public init(
    _ tiny: TinyConfiguration, seed: UInt64 = 0, to output: String, as format: StorageFormat = .bf16
  ) throws {
    let request = ConversionRequest(input: "a tiny autoencoder", output: output, format: format)
    try self.init(PlannedFiles(tiny, seed: seed, request), isFile: true)
  }

  private init(_ planned: PlannedFiles, isFile: Bool) throws {
    request = planned.request
    (networks, texts, notices, self.isFile) = (planned.networks, planned.texts, planned.notices, isFile)
    try checkOutput()
  }

  /// The folder as a model; `nil` where it holds one checkpoint alone.
  private static func model(_ path: String) throws -> ModelFolder? {
    do { return try ModelFolder(path: path) } catch {
      let single = try? openCheckpoint(path: path)
      if let single, !CheckpointRecognition(single).found.isEmpty { return nil }
      throw error
    }
  }

  private func checkOutput() throws {
    let output = request.output
    do {
      let target = try OutputTarget(output)
      if isFile {
        try target.check()
      } else if let status = FileStatus(path: output, followingLinks: false) {
        guard status.kind != .link else {
          throw OutputError("it is a link, which no folder can replace; name a new folder")
        }
        guard status.kind == .folder else { throw OutputError("a file has this name; name a new folder") }
        guard try FolderListing(output).names.isEmpty else { throw OutputError("it is not empty; name a new folder") }
      }
    } catch let error as OutputError {
      throw ConversionError("\(output) cannot be written: \(error)")
    }
    let folder = Paths.folder(of: output)
    let space = try? FileManager.default.attributesOfFileSystem(forPath: folder)[.systemFreeSize] as? NSNumber
    if let free = space?.intValue, free < byteCount {
      throw ConversionError(
        "\(output) needs \(byteCount >> 20) MiB, the disk of '\(folder)' has \(free >> 20) MiB left")
    }
  }

  /// Writes everything, reads it back, and gives it its name.
  ///
  /// - Parameters:
  ///   - backend: multiplies the factors of LoRAs.
  ///   - onProgress: is told, now and then, which file is being written, how many bytes are done, and of how many.
  /// - Throws: ``ModelError`` for numbers that a format cannot hold; what the disk refuses; `CancellationError`. Nothing is
  ///   left then.
  public func run(
    on backend: any Backend, onProgress: (_ file: String, _ done: Int, _ all: Int) -> Void = { _, _, _ in }
  ) throws -> ConversionReport {
    let hidden = try outputs { () throws(OutputError) in try OutputFolder(beside: request.output) }
    var files: [ConversionReport.File] = []
    var done = 0
    for (name, network) in networks {
      let path = hidden.file(name)
      try OutputFile.makeFolder(path: Paths.folder(of: path))
      onProgress(shown(name), done, byteCount)
      let losses = try network.write(to: path, on: backend) { bytes in
        done += bytes
        onProgress(shown(name), done, byteCount)
      }
      let worst = losses.max { $0.loss.relative < $1.loss.relative }
      files.append(
        .init(
          name: shown(name), bytes: network.byteCount, types: network.formats, largestError: worst?.loss.relative,
          worstTensor: worst?.name))
    }
    for (name, bytes) in texts {
      let path = hidden.file(name)
      try OutputFile.makeFolder(path: Paths.folder(of: path))
      let file = try OutputFile(path: path)
      try file.write(bytes.span)
      try file.commit()
    }
    try publish(hidden)
    return ConversionReport(output: request.output, bytes: byteCount, files: files)
  }

  private func publish(_ hidden: OutputFolder) throws {
    if isFile, let name = networks.first?.name {
      try outputs { () throws(OutputError) in
        try hidden.publish(name, as: try OutputTarget(request.output).path)
      }
      return
    }
    // The whole must open as a model before it is called one.
    _ = try ModelFolder(path: hidden.file(PlannedFiles.root))
    guard hidden.hand(over: hidden.file(PlannedFiles.root), as: request.output) else {
      throw ConversionError("\(request.output) cannot take its name: something has come into its place meanwhile")
    }
  }

  private func outputs<R>(_ body: () throws(OutputError) -> R) throws(ConversionError) -> R {
    do { return try body() } catch { throw ConversionError("\(request.output) cannot be written: \(error)") }
  }
}
