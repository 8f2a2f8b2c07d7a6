import Checkpoints
import Files
import Layers
import Sampling
import Tensors

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
    for request in requests {
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

  /// Those of one transformer, in the order of the request.
  subscript(expert: Expert) -> [LoRA] { adapters[expert] ?? [] }

  private static func fitted(
    _ request: AdapterRequest, _ transformers: Transformers
  ) throws -> [(Expert, LoRA)] {
    let file: AdapterFile
    do throws(CheckpointError) { file = try AdapterFile(path: try path(request.path)) } catch {
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

  /// A file, or the file in a folder of PEFT's or diffusers'.
  private static func path(_ path: String) throws(CheckpointError) -> String {
    guard FolderListing.isFolder(path) else { return path }
    for name in ["adapter_model.safetensors", "pytorch_lora_weights.safetensors"]
    where FileStatus(path: Paths.join(path, name)) != nil { return Paths.join(path, name) }
    return path
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
