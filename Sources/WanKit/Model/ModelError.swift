/// Why a folder is not a model that can run; says which file, what is wrong with it and what to do.
public enum ModelError: Error, Sendable, CustomStringConvertible {
  case noFolder(String)
  case notAModel(folder: String, found: [String])
  case missingFile(folder: String, wanted: String, advice: String)
  case badConfiguration(file: String, reason: String)
  case checkpoint(String)
  case inconsistent(folder: String, reason: String)

  public var description: String {
    switch self {
    case .noFolder(let path): "\(path): there is no such model folder"
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
