/// Why a folder is not a model that can run; says which file, what is wrong with it and what to do.
public enum ModelError: Error, Sendable, CustomStringConvertible {
  /// Nothing lies at this path.
  case noFolder(String)
  /// A folder that is there, and whose names the system does not give.
  case unlistedFolder(String, reason: String)
  /// A file where a folder belongs; `reason` says what the file is.
  case fileForFolder(String, reason: String)
  /// A folder of another kind, recognised: `what` stands behind "this is".
  case otherFolder(String, what: String, advice: String)
  /// A folder without the files that every model has; `found` is what lies in it instead.
  case notAModel(folder: String, found: [String])
  /// One file or folder of an otherwise recognised model.
  case missingFile(folder: String, wanted: String, advice: String)
  /// A JSON file that cannot be read, or a field of it that is absent or of the wrong type or range.
  case badConfiguration(file: String, reason: String)
  /// The text of a `CheckpointError` or `WeightError`, which names its file itself.
  case checkpoint(String)
  /// Files that are sound alone and do not belong together.
  case inconsistent(folder: String, reason: String)

  public var description: String {
    switch self {
    case .noFolder(let path): "\(path): there is no such model folder"
    case .unlistedFolder(let path, let reason):
      "\(path): is not a folder that can be listed (\(reason)); check its permissions and its disk"
    case .fileForFolder(let path, let reason):
      "\(path): this is a file where a folder is expected; \(reason)"
    case .otherFolder(let path, let what, let advice): "\(path): this is \(what); \(advice)"
    case .notAModel(let folder, let found):
      "\(folder): not a Wan2.2 model folder; expected config.json (TI2V-5B) or high_noise_model/ and low_noise_model/ "
        + "(A14B), found " + (found.isEmpty ? "nothing" : found.prefix(8).joined(separator: ", "))
    case .missingFile(let folder, let wanted, let advice): "\(folder): \(wanted) is missing; \(advice)"
    case .badConfiguration(let file, let reason): "\(file): \(reason)"
    case .checkpoint(let reason): reason
    case .inconsistent(let folder, let reason): "\(folder): \(reason)"
    }
  }
}
