import Checkpoints
import Files
import Layers
public import Sampling
import Tensors

/// A LoRA that a request asks for.
public struct AdapterRequest: Sendable, Hashable, Codable {
  /// Its file.
  public var path: String
  /// The factor on its changes; 1 unless given.
  public var strength: Float
  /// The expert that it is for; told by the file or its name unless given, and both where neither tells.
  public var expert: Expert?

  /// Nothing is read before a plan is made.
  public init(path: String, strength: Float = 1, expert: Expert? = nil) {
    (self.path, self.strength, self.expert) = (path, strength, expert)
  }
}

/// The LoRAs of a request, fitted to the transformers that they change.
struct FittedAdapters: Sendable {
  private var adapters: [Expert: [LoRA]] = [:]
  /// What was passed over, for people.
  private(set) var notices: [String] = []

  /// Opens each file, tells which transformer it is for, and checks it as a whole: names, shapes and numbers.
  ///
  /// - Throws: ``RequestError`` for a strength that is no number or an expert that the model has not; ``ModelError`` for
  ///   a file that cannot be read or does not fit.
  init(_ requests: [AdapterRequest], for transformers: Transformers) throws {
    for request in requests.flatMap(Self.files) {
      guard request.strength.isFinite else {
        throw RequestError.field(.adapters, "the strength of \(request.path) must be a finite number")
      }
      for (expert, adapter) in try Self.fitted(request, transformers) {
        adapters[expert, default: []].append(adapter)
        if !adapter.skipped.isEmpty {
          notices.append(
            "\(request.path): \(adapter.skipped.count) changes of Wan2.1's image branch are passed over "
              + "('\(adapter.skipped[0])'); this model has no such part")
        }
      }
    }
  }

  /// The requests with the other half of each pair of which only one is named: a file whose name tells one expert, where
  /// a file of the same name for the other lies beside it. A request that names its expert stands alone.
  static func paired(_ requests: [AdapterRequest], for transformers: Transformers) -> [AdapterRequest] {
    guard case .experts = transformers else { return requests }
    let named = requests.map { FileStatus(path: $0.path) }
    return requests.flatMap { request in
      guard request.expert == nil, !FolderListing.isFolder(request.path),
        let partner = ExpertName.partner(of: Paths.name(of: request.path))
      else { return [request] }
      let other = Paths.join(Paths.folder(of: request.path), partner)
      guard let status = FileStatus(path: other), status.kind == .file,
        !named.contains(where: { status.isSame(as: $0) })
      else { return [request] }
      return [request, AdapterRequest(path: other, strength: request.strength)]
    }
  }

  /// Those of one transformer, in the order of the request.
  subscript(expert: Expert) -> [LoRA] { adapters[expert] ?? [] }

  private static func fitted(
    _ request: AdapterRequest, _ transformers: Transformers
  ) throws -> [(Expert, LoRA)] {
    let file: AdapterFile
    do throws(CheckpointError) { file = try AdapterFile(path: request.path) } catch {
      throw ModelError.checkpoint(error.description)
    }
    if file.modules.isEmpty {
      throw ModelError.checkpoint("\(file.location): there is no change of a network in this file; is it a LoRA?")
    }
    return try places(of: file, request, transformers).map { expert, modules in
      let adapter = try LoRA(
        file, modules: modules, strength: request.strength, for: transformers[expert].demand)
      try adapter.checkNumbers()
      return (expert, adapter)
    }
  }

  /// The file itself; in a folder of PEFT's or diffusers' the one that they write, in a folder of a pair both, each for
  /// the expert that its name tells.
  private static func files(of request: AdapterRequest) -> [AdapterRequest] {
    guard let folder = try? FolderListing(request.path) else { return [request] }
    func at(_ name: String) -> AdapterRequest {
      AdapterRequest(
        path: Paths.join(request.path, name), strength: request.strength, expert: request.expert)
    }
    let written = ["adapter_model.safetensors", "pytorch_lora_weights.safetensors"]
    if let name = written.first(where: folder.contains) { return [at(name)] }
    let files = folder.visible.filter { $0.hasSuffix(".safetensors") }
    let experts = files.map(ExpertName.expert)
    guard files.count == 2, Set(experts) == [.high, .low] else { return [request] }
    return zip(files, experts).filter { request.expert == nil || request.expert == $1 }.map { at($0.0) }
  }

  /// The transformers that a file is for, with its modules for each: by the request, else by the file, else by its name.
  private static func places(
    of file: AdapterFile, _ request: AdapterRequest, _ transformers: Transformers
  ) throws -> [(Expert, [AdapterFile.Module])] {
    let isLow: (AdapterFile.Module) -> Bool = { $0.name.hasPrefix("transformer_2.") }
    let isShared = file.modules.contains(where: isLow)
    guard case .experts = transformers else {
      guard request.expert == nil, !isShared else {
        throw RequestError.field(
          .adapters, "\(request.path) is for one of two experts, and this model has one transformer")
      }
      return [(.only, file.modules)]
    }
    if let expert = request.expert {
      guard expert != .only else {
        throw RequestError.field(.adapters, "\(request.path): the experts are high and low")
      }
      return [(expert, isShared ? file.modules.filter { isLow($0) == (expert == .low) } : file.modules)]
    }
    if isShared {
      return [(.high, file.modules.filter { !isLow($0) }), (.low, file.modules.filter(isLow))]
    }
    let named = ExpertName.expert(of: request.path) ?? ExpertName.expert(of: Paths.folder(of: request.path))
    return (named.map { [$0] } ?? [.high, .low]).map { ($0, file.modules) }
  }
}
