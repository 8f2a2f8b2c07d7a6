import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Asks a hub over HTTP: follows redirects itself, because the token is for the endpoint alone.
final class HubClient: Sendable {
  let settings: HubSettings
  private let http: HTTPClient
  private let threads: MultiThreadedEventLoopGroup

  private static let mostRedirects = 10

  /// - Parameter connections: how many files are asked for at a time.
  init(_ settings: HubSettings, connections: Int) {
    self.settings = settings
    // Two threads carry more than any line brings; the system may give few.
    threads = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    let idle = TimeAmount.milliseconds(Int64(settings.patience.idle * 1000))
    configuration.timeout = .init(connect: .seconds(15), read: idle, write: idle)
    // One connection for several large files would share one window.
    configuration.httpVersion = .http1Only
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections + 1
    if let file = settings.certificates {
      var security = TLSConfiguration.makeClientConfiguration()
      security.trustRoots = .file(file)
      configuration.tlsConfiguration = security
    }
    if let proxy = settings.proxy, let host = proxy.host() {
      let authorization = proxy.user().map {
        HTTPClient.Authorization.basic(username: $0, password: proxy.password() ?? "")
      }
      configuration.proxy = .server(host: host, port: proxy.port ?? 80, authorization: authorization)
    }
    http = HTTPClient(eventLoopGroupProvider: .shared(threads), configuration: configuration)
  }

  /// Ends all connections; must be called before the client goes.
  func shutDown() async {
    try? await http.shutdown()
    try? await threads.shutdownGracefully()
  }

  /// Asks for an address, and follows where it leads.
  ///
  /// - Returns: the answer, and the host that gave it.
  /// - Throws: ``RequestFailure``, or `CancellationError`.
  func get(_ address: String, headers: HTTPHeaders = [:]) async throws -> HubResponse {
    guard var url = URL(string: address) else {
      throw RequestFailure.final(.badSetting(reason: "'\(address)' is no address"))
    }
    for _ in 0..<Self.mostRedirects {
      let response = try await send(url, headers)
      guard [301, 302, 303, 307, 308].contains(response.status.code) else {
        return HubResponse(response, from: url, isOfEndpoint: isEndpoint(url))
      }
      // Read to its end, so that the connection can be used again.
      _ = try? await response.body.collect(upTo: 1 << 16)
      url = try target(of: response, from: url)
    }
    throw RequestFailure.passing("\(url.host() ?? ""): more than \(Self.mostRedirects) redirects", wish: nil)
  }

  private func send(_ url: URL, _ headers: HTTPHeaders) async throws -> HTTPClientResponse {
    var request = HTTPClientRequest(url: url.absoluteString)
    request.headers = headers
    request.headers.add(name: "User-Agent", value: "swift-wan")
    if let token = settings.token, isEndpoint(url) {
      request.headers.add(name: "Authorization", value: "Bearer \(token)")
    }
    do {
      // A file may take days; that nothing comes is noticed by the time between two bytes.
      return try await http.execute(request, deadline: .now() + .hours(24 * 365))
    } catch {
      if RequestFailure.isDistrust(error) { throw RequestFailure.final(.untrusted(host: url.host() ?? "")) }
      throw try RequestFailure(error, settings.patience)
    }
  }

  private func target(of response: HTTPClientResponse, from url: URL) throws -> URL {
    let location = response.headers.first(name: "Location") ?? ""
    guard !location.isEmpty, let target = URL(string: location, relativeTo: url)?.absoluteURL, target.host() != nil,
      target.scheme == "https" || target.scheme == "http" && url.scheme == "http"
    else {
      let host = url.host() ?? ""
      throw RequestFailure.final(.badAnswer(source: host, reason: "it leads to '\(location)'"))
    }
    return target
  }

  /// Whether an address is the endpoint's own: the same protocol, host and port.
  func isEndpoint(_ url: URL) -> Bool {
    guard let endpoint = URL(string: settings.endpoint) else { return false }
    return url.scheme == endpoint.scheme && url.host()?.lowercased() == endpoint.host()?.lowercased()
      && port(url) == port(endpoint)
  }

  private func port(_ url: URL) -> Int { url.port ?? (url.scheme == "https" ? 443 : 80) }
}

/// An answer and who gave it.
struct HubResponse {
  let status: Int
  let headers: HTTPHeaders
  let body: HTTPClientResponse.Body
  let host: String
  let isOfEndpoint: Bool

  init(_ response: HTTPClientResponse, from url: URL, isOfEndpoint: Bool) {
    (status, headers, body) = (Int(response.status.code), response.headers, response.body)
    (host, self.isOfEndpoint) = (url.host() ?? "", isOfEndpoint)
  }

  /// The bytes that the body says it has.
  var length: Int? { headers.first(name: "Content-Length").flatMap { Int($0) } }
}
