import Foundation

/// A language model behind an OpenAI-style chat endpoint: llama.cpp, Ollama, vLLM, or a cloud.
public struct ChatEndpoint: Sendable {
  /// As the endpoint calls it.
  public let model: String
  /// How long it is waited for.
  public var patience = Patience()
  /// The whole address that is asked.
  let url: URL
  /// Shown to the endpoint alone, and told nowhere.
  let key: String?

  /// How long and how often a model is asked for one prompt.
  public struct Patience: Sendable, Hashable {
    /// Seconds for all attempts together.
    public var seconds = 120.0
    /// Attempts where the endpoint is busy or the connection breaks.
    public var attempts = 4
    /// Seconds before the second attempt; each further pause is twice as long.
    public var firstPause = 1.0

    /// The values above.
    public init() {}
  }

  /// An endpoint by its address: `http://localhost:11434`, with `/v1` or another path behind it, or with all of
  /// `/v1/chat/completions`.
  ///
  /// - Parameters:
  ///   - model: as the endpoint calls it, at most 256 bytes.
  ///   - key: goes into the header `Authorization: Bearer`.
  /// - Throws: ``ExtensionError/badSetting(reason:)``.
  public init(_ address: String, model: String, key: String? = nil) throws(ExtensionError) {
    guard var parts = URLComponents(string: address), let scheme = parts.scheme?.lowercased(),
      ["http", "https"].contains(scheme), let host = parts.host, !host.isEmpty, parts.fragment == nil
    else {
      // The address itself is not repeated: it may hold a key.
      throw .badSetting(reason: "the endpoint is no address such as http://localhost:11434/v1")
    }
    guard parts.user == nil, parts.password == nil else {
      throw .badSetting(reason: "the endpoint's address holds a name or a password; give the key in its variable")
    }
    while parts.path.hasSuffix("/") { parts.path.removeLast() }
    if !parts.path.hasSuffix("/chat/completions") {
      parts.path += (parts.path.isEmpty ? "/v1" : "") + "/chat/completions"
    }
    guard let url = parts.url else { throw .badSetting(reason: "the endpoint is no address") }
    guard (1...256).contains(model.utf8.count), !model.unicodeScalars.contains(where: { $0.value < 0x20 }) else {
      throw .badSetting(reason: "the language model's name must be 1 to 256 bytes on one line")
    }
    let cleaned = key?.trimmingCharacters(in: .whitespacesAndNewlines)
    guard cleaned?.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) ?? true else {
      throw .badSetting(reason: "the key of the endpoint holds characters that no key has")
    }
    (self.url, self.model, self.key) = (url, model, cleaned?.isEmpty == false ? cleaned : nil)
  }

  /// The host and its port, for messages.
  var name: String { (url.host() ?? "") + (url.port.map { ":\($0)" } ?? "") }
}

extension ChatEndpoint: CustomStringConvertible {
  /// Model and host; never the key.
  public var description: String { "\(model) at \(name)" }
}

/// Why a prompt was not extended; never holds the key.
public enum ExtensionError: Error, Sendable, Hashable, CustomStringConvertible {
  /// An address, a name or a key that cannot be used.
  case badSetting(reason: String)
  /// The endpoint refuses: its key, the model, the question.
  case refused(host: String, status: Int, reason: String)
  /// It was asked again and again, and does not answer.
  case unreachable(host: String, attempts: Int, reason: String)
  /// The time is over.
  case tooSlow(host: String, seconds: Double)
  /// An answer that holds no prompt.
  case badAnswer(host: String, reason: String)

  public var description: String {
    switch self {
    case .badSetting(let reason): reason
    case .refused(let host, let status, let reason):
      "\(host) refuses with status \(status)" + (reason.isEmpty ? "" : " ('\(reason)')")
        + ([401, 403].contains(status) ? "; check the key" : "")
    case .unreachable(let host, let attempts, let reason):
      "\(host) does not answer (\(attempts) attempt\(attempts == 1 ? "" : "s")): \(reason)"
    case .tooSlow(let host, let seconds):
      "\(host) has not answered within \(seconds == seconds.rounded() ? "\(Int(seconds))" : "\(seconds)") seconds"
    case .badAnswer(let host, let reason): "the answer of \(host) is no prompt: \(reason)"
    }
  }
}
