/// Why a model was not pulled: what is wrong, where, and what to do.
public enum HubError: Error, Sendable, Hashable, CustomStringConvertible {
  /// An answer of the hub that cannot be what it should be.
  case badAnswer(source: String, reason: String)
  /// A model that is private or that there is not; `hasToken` says whether one was shown.
  case noModel(RepositoryName, endpoint: String, hasToken: Bool)
  /// A model whose terms must be accepted first.
  case gated(RepositoryName, endpoint: String, hasToken: Bool)
  /// A token that the hub does not take.
  case refusedToken(endpoint: String)
  /// A model without this branch, tag or commit.
  case noRevision(RepositoryName, revision: String, endpoint: String)
  /// A file that is listed and not there.
  case noFile(path: String, source: String)
  /// No file of the model is of a form that was asked for.
  case nothingMatches(RepositoryName, listed: [String])
  /// The hub wants to be asked later than anybody waits.
  case tooManyRequests(host: String, seconds: Int)
  /// A host whose certificate nobody vouches for.
  case untrusted(host: String)
  /// Every attempt failed; the reason is the last one's.
  case unreachable(what: String, attempts: Int, reason: String)
  /// A file that came twice with other bytes than its digest says.
  case wrongBytes(path: String, source: String)
  /// A disk that is too full, before anything was written.
  case noSpace(folder: String, needed: Int, free: Int)
  /// A file or folder of the cache that cannot be written.
  case cache(reason: String)
  /// An endpoint, revision or other setting that cannot be used.
  case badSetting(reason: String)
  /// The hub was to be left alone, and the model is not whole in the cache.
  case offline(RepositoryName)

  /// The sentence for people.
  public var description: String {
    switch self {
    case .badAnswer(let source, let reason):
      "\(source): this is not the hub's answer (\(reason)); check the endpoint, and whether a proxy or sign-in page answers"
    case .noModel(let name, let endpoint, let hasToken):
      "\(endpoint) shows no model '\(name)': check the spelling at \(endpoint)/\(name); for a private one "
        + (hasToken ? "the token must be of an account that may see it" : "give an access token in HF_TOKEN")
    case .gated(let name, let endpoint, let hasToken):
      "'\(name)' is gated: accept its terms at \(endpoint)/\(name), then "
        + (hasToken
          ? "pull again with a token of the account that did; this one has no access yet"
          : "give a token of that account (from \(endpoint)/settings/tokens) in HF_TOKEN")
    case .refusedToken(let endpoint):
      "\(endpoint) does not take the access token: make another at \(endpoint)/settings/tokens, or unset HF_TOKEN"
    case .noRevision(let name, let revision, let endpoint):
      "'\(name)' has no revision '\(revision)': see its branches and tags at \(endpoint)/\(name)/tree/main"
    case .noFile(let path, let source): "\(path): the hub lists it and does not have it (\(source)); pull again later"
    case .nothingMatches(let name, let listed):
      "no file of '\(name)' matches; it has " + listed.prefix(8).joined(separator: ", ")
        + (listed.count > 8 ? " and \(listed.count - 8) more" : "")
    case .tooManyRequests(let host, let seconds):
      "\(host) takes no more requests for \(seconds) seconds: pull again then, or with a token, which allows more"
    case .untrusted(let host):
      "\(host): its certificate comes from no authority that is trusted; install the system's (ca-certificates), check "
        + "the clock, or name a file of authorities in SSL_CERT_FILE"
    case .unreachable(let what, let attempts, let reason):
      "\(what): \(attempts) attempts failed, the last: \(reason); check the network, and pull again to go on"
    case .wrongBytes(let path, let source):
      "\(path): its bytes came damaged twice (\(source)), and were deleted; a proxy may change them, or the disk"
    case .noSpace(let folder, let needed, let free):
      "\(folder): \(needed) bytes are needed and \(free) are free; make room, or put the cache elsewhere with HF_HUB_CACHE"
    case .cache(let reason): reason
    case .badSetting(let reason): reason
    case .offline(let name):
      "'\(name)' is not whole in the cache, and HF_HUB_OFFLINE forbids to ask the hub; unset it to pull"
    }
  }
}
