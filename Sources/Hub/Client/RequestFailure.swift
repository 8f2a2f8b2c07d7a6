import AsyncHTTPClient
import Files
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Why an attempt failed, and whether another can help.
enum RequestFailure: Error {
  /// It may pass; `wish` is what the hub wants to be waited, in seconds.
  case passing(String, wish: Int?)
  /// It will not.
  case final(HubError)

  /// What a client's error means.
  ///
  /// - Throws: `CancellationError` where the task was cancelled.
  init(_ error: any Error, _ patience: HubSettings.Patience) throws {
    try Task.checkCancellation()
    switch error {
    case let failure as RequestFailure: self = failure
    case let failure as HubError: self = .final(failure)
    case is CancellationError: throw error
    default: self = .passing(Self.words(error, patience), wish: nil)
    }
  }

  /// Whether a host has shown a certificate that nobody vouches for.
  static func isDistrust(_ error: any Error) -> Bool {
    guard case .handshakeFailed(let reason) = error as? NIOSSLError else { return false }
    return "\(reason)".contains("CERTIFICATE_VERIFY_FAILED")
  }

  private static func words(_ error: any Error, _ patience: HubSettings.Patience) -> String {
    switch error {
    case let error as NIOConnectionError: connection(error)
    case let error as HTTPClientError: client(error, patience)
    case let error as IOError: system(error)
    case is NIOSSLError: "no encrypted connection came about"
    default: "the connection broke off: \(error)"
    }
  }

  private static func connection(_ error: NIOConnectionError) -> String {
    guard let first = error.connectionErrors.first else { return "the host '\(error.host)' is not known" }
    let reason = (first.error as? IOError).map(system) ?? "no connection (\(first.error))"
    return "\(error.host):\(error.port): \(reason)"
  }

  private static func system(_ error: IOError) -> String {
    let isUnopened = [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL].contains(error.errnoCode)
    let reason = systemReason(error.errnoCode)
    return isUnopened ? "no connection (\(reason))" : "the connection broke off (\(reason))"
  }

  private static func client(_ error: HTTPClientError, _ patience: HubSettings.Patience) -> String {
    switch error {
    case .readTimeout, .writeTimeout: "nothing came for \(Int(patience.idle.rounded(.up))) seconds"
    case .connectTimeout, .getConnectionFromPoolTimeout: "no connection came about in time"
    case .remoteConnectionClosed: "the connection was closed"
    default: "\(error)"
    }
  }
}

extension HubResponse {
  /// What an answer without a body of use means.
  ///
  /// - Parameter errors: of what this endpoint does not give.
  func failure(_ errors: StatusErrors) -> RequestFailure {
    switch status {
    case 429, 503:
      let wish = RetryAfter.seconds(headers.first(name: "Retry-After"))
      guard let wish, wish > errors.longestWish else {
        return .passing("\(host) is busy (status \(status))", wish: wish)
      }
      return .final(.tooManyRequests(host: host, seconds: wish))
    case 408, 500..<600: return .passing("\(host) answers with status \(status)", wish: nil)
    case 401, 403, 404, 410: break
    default: return .final(.badAnswer(source: errors.source, reason: "status \(status)"))
    }
    // An address that another host gives out for a while, and no more: the endpoint gives a new one.
    guard isOfEndpoint else { return .passing("\(host) answers with status \(status)", wish: nil) }
    return .final(errors.error(status, code: headers.first(name: "X-Error-Code") ?? ""))
  }
}

/// The errors that statuses of the endpoint stand for.
struct StatusErrors {
  let name: RepositoryName
  let revision: String
  let endpoint: String
  let hasToken: Bool
  let longestWish: Int
  /// The address that is asked for.
  let source: String
  /// The file that is asked for, where it is one.
  let path: String?

  func error(_ status: Int, code: String) -> HubError {
    switch (code, status) {
    case ("GatedRepo", _), (_, 403): .gated(name, endpoint: endpoint, hasToken: hasToken)
    case ("RevisionNotFound", _): .noRevision(name, revision: revision, endpoint: endpoint)
    case ("EntryNotFound", _): .noFile(path: path ?? name.description, source: source)
    case ("RepoNotFound", _): .noModel(name, endpoint: endpoint, hasToken: hasToken)
    case (_, 401) where hasToken: .refusedToken(endpoint: endpoint)
    default: path.map { .noFile(path: $0, source: source) } ?? .noModel(name, endpoint: endpoint, hasToken: hasToken)
    }
  }
}
