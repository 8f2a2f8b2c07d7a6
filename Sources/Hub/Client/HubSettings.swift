import Files
import Foundation

/// Which hub is asked, as whom, and how long it is waited for.
public struct HubSettings: Sendable {
  /// The hub's address without a slash at its end: `https://huggingface.co`.
  public let endpoint: String
  /// Whether the hub is to be left alone.
  public let isOffline: Bool
  /// How long things are waited for.
  public var patience = Patience()
  /// Shown to the endpoint alone.
  let token: String?
  /// A file of the authorities that certificates may come from, in the place of the system's.
  let certificates: String?
  /// `http://HOST:PORT` between this machine and the hub.
  let proxy: URL?

  /// What everybody uses unless told otherwise.
  public static let publicEndpoint = "https://huggingface.co"

  /// How long and how often the hub is asked for the same thing.
  public struct Patience: Sendable {
    /// Attempts in a row that bring nothing.
    public var attempts = 8
    /// Seconds before the second attempt; each further pause is twice as long.
    public var firstPause = 1.0
    /// The longest pause in seconds that is not the hub's own wish.
    public var longestPause = 30.0
    /// Seconds that the hub may wish for.
    public var longestWish = 300
    /// Seconds without a byte after which a connection is given up.
    public var idle = 60.0

    /// The values above.
    public init() {}
  }

  /// The settings that Python's hub tools would take from the same environment: `HF_ENDPOINT`, `HF_TOKEN`,
  /// `HF_TOKEN_PATH`, `HF_HOME`, `XDG_CACHE_HOME`, `HF_HUB_OFFLINE`, `SSL_CERT_FILE`, and the proxy's `HTTPS_PROXY` and
  /// `NO_PROXY`.
  ///
  /// - Parameter endpoint: in the place of `HF_ENDPOINT`.
  /// - Throws: ``HubError`` for an address that is none.
  public init(environment: [String: String], endpoint: String? = nil) throws(HubError) {
    let values = HubEnvironment(environment)
    var address = endpoint ?? values["HF_ENDPOINT"] ?? Self.publicEndpoint
    while address.hasSuffix("/") { address.removeLast() }
    guard let url = URL(string: address), ["http", "https"].contains(url.scheme), let host = url.host(), !host.isEmpty,
      url.query() == nil, url.user() == nil
    else {
      throw .badSetting(reason: "the endpoint '\(address)' is no address such as \(Self.publicEndpoint)")
    }
    self.endpoint = address
    token = values.token
    isOffline = ["1", "on", "yes", "true"].contains(values["HF_HUB_OFFLINE"]?.lowercased() ?? "")
    certificates = values["SSL_CERT_FILE"]
    if let certificates, FileStatus(path: certificates) == nil {
      throw .badSetting(reason: "SSL_CERT_FILE: there is no file '\(certificates)'")
    }
    proxy = values.proxy(for: host, scheme: url.scheme ?? "")
  }
}

/// The variables that Python's hub tools read, in their order of precedence.
struct HubEnvironment {
  private let values: [String: String]

  init(_ values: [String: String]) { self.values = values }

  /// A variable that is set to something.
  subscript(_ name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

  /// The folder of everything that the hub's tools keep.
  private var home: String {
    if let home = self["HF_HOME"] { return expanded(home) }
    let caches = self["XDG_CACHE_HOME"].map(expanded) ?? Paths.join(values["HOME"] ?? ".", ".cache")
    return Paths.join(caches, "huggingface")
  }

  /// The folder of the models.
  var cache: String {
    (self["HF_HUB_CACHE"] ?? self["HUGGINGFACE_HUB_CACHE"]).map(expanded) ?? Paths.join(home, "hub")
  }

  /// The access token, of a variable or a file.
  var token: String? {
    if let token = self["HF_TOKEN"].flatMap(clean) { return token }
    let file = self["HF_TOKEN_PATH"].map(expanded) ?? Paths.join(home, "token")
    return (try? String(contentsOfFile: file, encoding: .utf8)).flatMap(clean)
  }

  func proxy(for host: String, scheme: String) -> URL? {
    let names = scheme == "https" ? ["https_proxy", "HTTPS_PROXY"] : ["http_proxy"]
    let address = (names + ["all_proxy", "ALL_PROXY"]).lazy.compactMap { self[$0] }.first
    let exempt = (self["no_proxy"] ?? self["NO_PROXY"] ?? "").split(separator: ",").map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    let isExempt = exempt.contains { $0 == "*" || host == $0 || host.hasSuffix($0.hasPrefix(".") ? $0 : "." + $0) }
    guard let address, !isExempt else { return nil }
    let url = URL(string: address.contains("://") ? address : "http://" + address)
    return url?.host() == nil ? nil : url
  }

  private func expanded(_ path: String) -> String { Paths.expandingHome(path, home: values["HOME"]) }

  /// A token fits on a line, and goes into a header as it is.
  private func clean(_ text: String) -> String? {
    let token = text.trimmingCharacters(in: .whitespacesAndNewlines)
    return token.isEmpty || !token.utf8.allSatisfy { (0x21...0x7E).contains($0) } ? nil : token
  }
}
