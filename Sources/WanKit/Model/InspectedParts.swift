import Checkpoints

/// The checkpoints that can be found in a folder that is not a whole model.
struct InspectedParts {
  private(set) var networks: [Inspection.Network] = []
  /// Why others cannot be opened.
  private(set) var problems: [String] = []

  /// Where Wan-AI and diffusers put a checkpoint into a folder of its own.
  private static let folders = [
    "high_noise_model", "low_noise_model", "transformer", "transformer_2", "vae", "text_encoder",
  ]

  init(of path: String) {
    guard let files = try? FolderListing(path) else { return }
    if let damage = damagedCheckpoint(inFolder: path) { problems.append(damage.description) }
    let candidates = files.names.filter { name in
      !name.hasPrefix("._") && ShardName(name) == nil
        && [".safetensors", ".pth", ".index.json", ".gguf"].contains { name.lowercased().hasSuffix($0) }
    }
    for name in Self.folders.filter({ files.child($0) != nil }) + candidates.prefix(64) {
      do throws(CheckpointError) {
        networks.append(Inspection.Network(try openCheckpoint(path: path + "/" + name), file: name))
      } catch {
        problems.append(error.description)
      }
    }
  }
}
