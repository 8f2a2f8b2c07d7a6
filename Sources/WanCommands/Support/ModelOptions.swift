import ArgumentParser
import Foundation
import WanKit

/// Which model: a folder, a file, or its parts one by one.
struct ModelOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: """
      The model: a folder as Wan-AI, diffusers or ComfyUI lay it out, a transformer's file (safetensors, GGUF, .pth), or \
      what 'wan pull' has downloaded: ti2v-5b, OWNER/NAME; the bundled one unless given.
      """, completion: .file(), transform: PathArgument.path)
  var model: String?

  @Option(
    help: ArgumentHelp("A single transformer's file, in place of the model's.", valueName: "file"),
    completion: .file(), transform: PathArgument.path)
  var transformer: String?

  @Option(
    help: ArgumentHelp("The file of the expert for the first, noisy steps.", valueName: "file"), completion: .file(),
    transform: PathArgument.path)
  var highNoise: String?

  @Option(
    help: ArgumentHelp("The file of the expert for the other steps.", valueName: "file"), completion: .file(),
    transform: PathArgument.path)
  var lowNoise: String?

  @Option(
    help: ArgumentHelp(
      "The VAE's file; or tiny, or a tiny autoencoder's file (taew2_1, taew2_2), which decodes in its place, much faster "
        + "and a little worse. tiny looks for one beside the model's files and in WAN_MODELS.", valueName: "tiny|file"),
    completion: .file(), transform: VAEArgument.init)
  var vae: VAEArgument?

  @Option(
    help: ArgumentHelp("The UMT5 encoder's file.", valueName: "file"), completion: .file(),
    transform: PathArgument.path)
  var textEncoder: String?

  @Option(
    help: ArgumentHelp(
      "tokenizer.json, spiece.model, a folder that holds one, or a text encoder's file with one inside.",
      valueName: "file"), completion: .file(), transform: PathArgument.path)
  var tokenizer: String?

  /// What decodes, where it is not the model's own VAE.
  enum VAEArgument: Equatable {
    case tiny
    case file(String)

    init(_ argument: String) throws { self = argument == "tiny" ? .tiny : .file(try PathArgument.path(argument)) }

    var path: String? { if case .file(let path) = self { path } else { nil } }
  }

  func validate() throws {
    guard transformer == nil || highNoise == nil && lowNoise == nil else {
      throw ValidationError("--transformer is a model of one transformer, --high-noise and --low-noise are one of two")
    }
  }

  /// The folders of `WAN_MODELS`, separated by colons, in which parts that are missing are looked for too.
  static var searched: [String] {
    (ProcessInfo.processInfo.environment["WAN_MODELS"] ?? "").split(separator: ":").map(String.init)
  }

  private var parts: PartPaths {
    var parts = PartPaths(
      transformer: transformer, highNoise: highNoise, lowNoise: lowNoise, autoencoder: vae?.path,
      textEncoder: textEncoder, tokenizer: tokenizer, searched: Self.searched)
    parts.prefersTinyAutoencoder = vae == .tiny
    return parts
  }

  /// Whether parts make a model without a folder.
  var namesTransformer: Bool { parts.namesTransformer }

  /// - Throws: `CommandError` where no model is named and the bundled one is not there, or one is named that was not
  ///   pulled; ``ModelError``.
  func open() throws -> ModelFolder {
    let (path, parts) = try located()
    return try Self.open(path, parts)
  }

  /// The model's folder or file as it is named, or the bundled one; `nil` where parts name all of it.
  func located() throws -> (path: String?, parts: PartPaths) {
    let parts = parts
    let path = model ?? (parts.namesTransformer ? nil : ModelLocator.bundled())
    guard path != nil || parts.namesTransformer else {
      throw CommandError(
        "the bundled model (Models/\(ModelLocator.bundledName)) is not near the command; name a model with --model")
    }
    return (path, parts)
  }

  /// - Throws: as ``open()``.
  static func open(_ model: String?, _ parts: PartPaths) throws -> ModelFolder {
    guard let model else { return try ModelFolder(path: nil, parts: parts) }
    let folder = try LocalHub.folder(for: model)
    do throws(ModelError) {
      return try ModelFolder(path: folder, parts: parts)
    } catch {
      throw LocalHub.advice(on: folder).map { CommandError("\(error); \($0)") } ?? error
    }
  }
}
