import Checkpoints
import Tensors

/// What a checkpoint is by the names and types of its tensors, before any shape is looked at.
///
/// This is the one place that answers "what is this file?": inspecting a file and opening a model ask here, and say the
/// same sentence.
struct CheckpointRecognition {
  /// The network, where its names are read and it is the only one.
  let network: NetworkKind?
  /// Every network in the file.
  let found: [NamedNetwork]
  /// A word for it: "transformer", "LoRA", "unknown".
  let title: String
  /// The file's own name, where it is but one of several of a checkpoint.
  let shard: ShardName?
  /// Why it cannot be used, a sentence each.
  let problems: [String]

  static let adapterTitle = "LoRA"
  private static let advice = "take the checkpoint under the names that Wan-AI publishes"

  init(_ source: any WeightSource) {
    shard = ShardName(source.location.split(separator: "/").last.map(String.init) ?? "")
    if let shard {
      (network, title, found) = (nil, "part of a checkpoint", [])
      problems = [
        "\(source.location): this is shard \(shard.number) of \(shard.count) of one checkpoint; "
          + "give its index '\(shard.index)' or the folder that holds all of them"
      ]
      return
    }
    let found = NamedNetwork.all(in: source.names)
    self.found = found
    let variant =
      found.contains(where: \.isRead) ? Self.wrapped(source.names) ?? Self.variant(found, source.names) : nil
    let adapter = found.contains(where: \.isRead) ? nil : AdapterNaming(names: source.names)
    title =
      adapter != nil
      ? Self.adapterTitle : found.count > 1 ? "several networks" : found.first?.naming.network.rawValue ?? "unknown"
    network = variant == nil ? Self.network(found, source.names) : nil
    var problems: [String] = []
    if let problem = variant ?? (network == nil ? Self.naming(found, adapter, source.names) : nil) {
      problems.append("\(source.location): \(problem)")
    }
    if network != nil || !found.isEmpty {
      if let unread = source.unreadTypes { problems.append(unread.description) }
      if let form = QuantizedForm.problem(of: source) { problems.append(form) }
    }
    self.problems = problems
  }

  /// The network that is wanted out of a checkpoint, under its published names; by type, name by name, nothing is read.
  ///
  /// A file may hold other networks beside it. Where it tells none, its tensors are the last word.
  static func network(_ wanted: NetworkKind, in source: any WeightSource) throws(ModelError) -> any WeightSource {
    let recognition = CheckpointRecognition(source)
    guard recognition.problems.isEmpty else { throw .checkpoint(recognition.problems.joined(separator: "\n")) }
    if let named = recognition.found.first(where: { $0.isRead && $0.naming.network == wanted }) {
      do throws(CheckpointError) { return try named.source(in: source) } catch { throw .checkpoint(error.description) }
    }
    guard let network = recognition.network ?? recognition.found.first?.naming.network, network != wanted else {
      return source
    }
    throw .checkpoint(
      "\(source.location): these are the names of \(network.withArticle), where \(wanted.withArticle) is expected; "
        + "put each file under its published name")
  }

  /// What to do about a file that was given in place of its model's folder.
  static func ofFile(_ path: String) -> String {
    let (title, problem) = read(path)
    if let problem { return problem }
    let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    let isModel = (try? FolderListing(folder.isEmpty ? "." : folder)).map(FolderForm.isModel) == true
    return "it holds the \(title) alone: give the folder that holds all files of the model"
      + (isModel ? ", \(folder.isEmpty ? "." : folder)" : "")
  }

  /// Whether a file holds a transformer under names that are read.
  static func isTransformer(_ path: String) -> Bool {
    guard let source = try? openCheckpoint(path: path) else { return false }
    return CheckpointRecognition(source).found.contains { $0.isRead && $0.naming.network == .transformer }
  }

  /// Whether a file holds a tiny autoencoder, read or not, and nothing else.
  static func isTinyAutoencoder(_ path: String) -> Bool {
    guard let source = try? openCheckpoint(path: path) else { return false }
    let found = CheckpointRecognition(source).found
    return !found.isEmpty && found.allSatisfy { $0.naming.network == .tinyAutoencoder }
  }

  /// Why a file cannot be used as a checkpoint, without its path; `nil` where it holds a network that is read.
  static func problem(ofFile path: String) -> String? { read(path).problem }

  private static func read(_ path: String) -> (title: String, problem: String?) {
    do throws(CheckpointError) {
      let recognition = CheckpointRecognition(try openCheckpoint(path: path))
      let problem = recognition.problems.first.map { problem in
        problem.hasPrefix(path + ": ") ? String(problem.dropFirst(path.count + 2)) : problem
      }
      return (recognition.title, problem)
    } catch {
      return ("", error.problem + (error.advice.map { "; \($0)" } ?? ""))
    }
  }

  private static func network(_ found: [NamedNetwork], _ names: [String]) -> NetworkKind? {
    if found.isEmpty { return remains(of: Set(names)) }
    return found.count == 1 && found[0].isRead ? found[0].naming.network : nil
  }

  /// The network whose first tensors are there while all that tell it are missing.
  private static func remains(of names: Set<String>) -> NetworkKind? {
    if names.contains("patch_embedding.weight") { return .transformer }
    if names.contains("token_embedding.weight") { return .textEncoder }
    return names.isSuperset(of: ["encoder.conv1.weight", "decoder.conv1.weight"]) ? .autoencoder : nil
  }

  private static func naming(_ found: [NamedNetwork], _ adapter: AdapterNaming?, _ names: [String]) -> String? {
    if names.isEmpty { return "the file holds no tensors; \(advice)" }
    if let adapter { return adapter.problem }
    if found.count == 1, found[0].naming.dialect == .superTiny {
      return "this is a tiny autoencoder of TAEHV's 'super' variant, whose blocks are others and are not read; take "
        + "taew2_1 or taew2_2 without '_super' in the name"
    }
    if found.count == 1 {
      return "these are the names of \(found[0].description): this layout is not read yet; \(advice)"
    }
    if found.count > 1, !found.allSatisfy(\.isRead) || Set(found.map(\.naming.network)).count < found.count {
      let networks = found.prefix(4).map(\.description).joined(separator: ", ")
      return "this file holds several networks: \(networks); such files are not read yet, \(advice)"
    }
    if found.count > 1 { return nil }
    let first = names.prefix(3).map { "'\($0.prefix(80))'" }.joined(separator: ", ")
    return "no network of Wan2.2 by its tensors' names: \(first)"
      + (names.count > 3 ? " and \(names.count - 3) more" : "") + "; \(advice)"
  }

  private static func variant(_ found: [NamedNetwork], _ names: [String]) -> String? {
    guard let transformer = found.first(where: { $0.isRead && $0.naming.network == .transformer }),
      let variant = TransformerVariant.find(in: names.map { String($0.dropFirst(transformer.prefix.utf8.count)) })
    else { return nil }
    return "this is a transformer of \(variant.name) by '\(variant.tensor.prefix(80))', which is none of "
      + ModelFamily.all.map(\.name).joined(separator: ", ") + "; \(advice)"
  }

  /// Names with something in their midst that a wrapping of torch left there.
  private static func wrapped(_ names: [String]) -> String? {
    let wrappings = ["._orig_mod.", "._fsdp_wrapped_module.", "._checkpoint_wrapped_module.", ".module."]
    for wrapping in wrappings {
      if let name = names.first(where: { $0.utf8.count < 1024 && $0.contains(wrapping) }) {
        return "its tensors' names carry '\(wrapping.dropFirst())', which a wrapping of torch put there "
          + "('\(name.prefix(80))'): this layout is not read yet; \(advice)"
      }
    }
    return nil
  }
}
