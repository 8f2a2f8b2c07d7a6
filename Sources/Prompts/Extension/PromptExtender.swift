import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// Has a prompt written out by a language model, as the published extension does.
///
/// One question at temperature 0. An endpoint that is busy or breaks off is asked again; it has a time in all, and its
/// answer a size.
public struct PromptExtender: Sendable {
  private let endpoint: ChatEndpoint

  /// A prompt and what goes with it have some kilobytes.
  static let largestAnswer = 1 << 20

  /// - Parameter endpoint: whom to ask.
  public init(_ endpoint: ChatEndpoint) { self.endpoint = endpoint }

  /// Asks for one prompt.
  ///
  /// - Throws: ``ExtensionError``; `CancellationError` when the task is cancelled.
  public func extend(_ question: ExtensionQuestion) async throws -> ExtendedPrompt {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let body = try Array(encoder.encode(ChatRequest(question, model: endpoint.model)))
    let client = ChatClient(endpoint)
    do {
      let text = try await within(endpoint.patience.seconds) { try await answer(to: body, client) }
      await client.shutDown()
      return ExtendedPrompt(text, by: endpoint.model)
    } catch {
      await client.shutDown()
      try Task.checkCancellation()
      throw error
    }
  }

  private func answer(to body: [UInt8], _ client: ChatClient) async throws -> String {
    let end = ContinuousClock.now + .seconds(endpoint.patience.seconds)
    var attempt = 1
    while true {
      let failure: ChatClient.Failure
      do throws(ChatClient.Failure) {
        let answer = try await client.post(body)
        return try ChatClient.prompt(in: answer, from: endpoint.name)
      } catch { failure = error }
      let pause = try self.pause(after: failure, attempt, until: end)
      try await Task.sleep(for: .seconds(pause))
      attempt += 1
    }
  }

  /// Seconds until the next attempt.
  ///
  /// - Throws: what ends the asking.
  private func pause(
    after failure: ChatClient.Failure, _ attempt: Int, until end: ContinuousClock.Instant
  ) throws -> Double {
    let (reason, wish): (String, Int?)
    switch failure {
    case .final(let error): throw error
    case .cancelled: throw CancellationError()
    case .passing(let told, let seconds): (reason, wish) = (told, seconds)
    }
    func unreachable(_ reason: String) -> ExtensionError {
      .unreachable(host: endpoint.name, attempts: attempt, reason: reason)
    }
    guard attempt < endpoint.patience.attempts else { throw unreachable(reason) }
    if let wish, ContinuousClock.now + .seconds(wish) >= end {
      throw unreachable("\(reason), and it wants to be asked in \(wish) seconds")
    }
    let pause = endpoint.patience.firstPause * Double(1 << (attempt - 1)) * .random(in: 0.75...1.25)
    return max(pause, Double(wish ?? 0))
  }

  /// The body's result, as long as there is time.
  private func within(_ seconds: Double, _ body: @escaping @Sendable () async throws -> String) async throws -> String {
    try await withThrowingTaskGroup(of: String.self) { group in
      group.addTask { try await body() }
      group.addTask { [name = endpoint.name] in
        try await Task.sleep(for: .seconds(seconds))
        throw ExtensionError.tooSlow(host: name, seconds: seconds)
      }
      defer { group.cancelAll() }
      return try await group.next() ?? ""
    }
  }
}

/// One endpoint over HTTP. Redirects are not followed: the key is for this address alone.
final class ChatClient: Sendable {
  private let endpoint: ChatEndpoint
  private let http: HTTPClient
  private let threads: MultiThreadedEventLoopGroup

  /// Why an attempt brought nothing.
  enum Failure: Error {
    /// It may pass; `wish` is what the endpoint wants to be waited, in seconds.
    case passing(String, wish: Int?)
    case final(ExtensionError)
    case cancelled
  }

  init(_ endpoint: ChatEndpoint) {
    self.endpoint = endpoint
    threads = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    // Nothing comes until a model has thought: the time of all attempts is the caller's to keep.
    configuration.timeout = .init(connect: .seconds(15))
    configuration.httpVersion = .http1Only
    configuration.connectionPool.retryConnectionEstablishment = false
    http = HTTPClient(eventLoopGroupProvider: .shared(threads), configuration: configuration)
  }

  /// Ends all connections; must be called before the client goes.
  func shutDown() async {
    try? await http.shutdown()
    try? await threads.shutdownGracefully()
  }

  /// Asks, and reads the answer of a success.
  func post(_ body: [UInt8]) async throws(Failure) -> [UInt8] {
    var request = HTTPClientRequest(url: endpoint.url.absoluteString)
    request.method = .POST
    request.headers = ["Content-Type": "application/json", "Accept": "application/json", "User-Agent": "swift-wan"]
    if let key = endpoint.key { request.headers.add(name: "Authorization", value: "Bearer \(key)") }
    request.body = .bytes(body)
    do {
      let response = try await http.execute(request, deadline: .now() + .hours(24))
      guard (200..<300).contains(response.status.code) else {
        let told = await read(response, upTo: 1 << 16) ?? []
        throw failure(response, told)
      }
      guard let answer = try await whole(response, upTo: PromptExtender.largestAnswer) else {
        throw Failure.final(
          .badAnswer(host: endpoint.name, reason: "it has more than \(PromptExtender.largestAnswer) bytes"))
      }
      return answer
    } catch let failure as Failure { throw failure } catch {
      if Task.isCancelled || error is CancellationError { throw .cancelled }
      throw .passing(ConnectionWords.words(error), wish: nil)
    }
  }

  /// The prompt of an answer, which asking again would not change.
  static func prompt(in body: [UInt8], from host: String) throws(Failure) -> String {
    do throws(ExtensionError) { return try ChatAnswer.prompt(in: body, from: host) } catch { throw .final(error) }
  }

  /// The body, read no further than a limit; `nil` where it has more.
  private func whole(_ response: HTTPClientResponse, upTo limit: Int) async throws -> [UInt8]? {
    var bytes: [UInt8] = []
    for try await piece in response.body {
      guard bytes.count + piece.readableBytes <= limit else { return nil }
      bytes += piece.readableBytesView
    }
    return bytes
  }

  private func read(_ response: HTTPClientResponse, upTo limit: Int) async -> [UInt8]? {
    try? await whole(response, upTo: limit)
  }

  private func failure(_ response: HTTPClientResponse, _ body: [UInt8]) -> Failure {
    let status = Int(response.status.code)
    let reason = hidingKey(ChatFailure.reason(in: body))
    switch status {
    case 408, 429, 500..<600:
      let wish = response.headers.first(name: "Retry-After").flatMap { Int($0) }.map { min(max($0, 0), 1_000_000_000) }
      return .passing("status \(status)" + (reason.isEmpty ? "" : " ('\(reason)')"), wish: wish)
    case 300..<400:
      return .final(.refused(host: endpoint.name, status: status, reason: "it leads elsewhere; give that address"))
    default: return .final(.refused(host: endpoint.name, status: status, reason: reason))
    }
  }

  /// A text that does not hold the key, whatever the endpoint says.
  private func hidingKey(_ text: String) -> String { endpoint.key.map { text.replacing($0, with: "...") } ?? text }
}

/// What the errors of connections mean.
enum ConnectionWords {
  static func words(_ error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError:
      (error.connectionErrors.first?.error as? IOError).map(system) ?? "the host '\(error.host)' is not known"
    case let error as IOError: system(error)
    case let error as HTTPClientError where error == .remoteConnectionClosed: "the connection was closed"
    case let error as HTTPClientError where error == .connectTimeout: "no connection came about in time"
    default: "the connection broke off (\(error))"
    }
  }

  private static func system(_ error: IOError) -> String {
    let isRefused = [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL].contains(error.errnoCode)
    return isRefused ? "no connection; does the server run?" : "the connection broke off"
  }
}
