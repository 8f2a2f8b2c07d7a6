import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// What a revision of a model is made of.
struct Listing: Sendable {
  let commit: String
  let files: [ListedFile]

  /// Bytes of a page; one of the hub's has a thousand files.
  private static let mostBytes = 32 << 20
  private static let mostPages = 1000

  /// Asks the hub for a revision's commit, and for its files, page by page.
  static func fetch(
    _ request: PullRequest, from client: HubClient, notice: @escaping @Sendable (PullEvent) -> Void
  ) async throws -> Listing {
    let reader = PageReader(request: request, client: client, notice: notice)
    let root = "\(client.settings.endpoint)/api/models/\(request.name)"
    let revision = RelativePath(request.revision)?.escaped.replacing("/", with: "%2F") ?? ""
    let first = try await reader.page("\(root)/revision/\(revision)")
    let commit = try ListingReader.commit(first.bytes, from: "\(root)/revision/\(revision)")
    var files: [ListedFile] = []
    var next: String? = "\(root)/tree/\(commit)?recursive=true"
    var seen: Set<String> = []
    while let address = next {
      guard seen.insert(address).inserted, seen.count <= mostPages, files.count <= ListingReader.mostFiles else {
        throw HubError.badAnswer(source: address, reason: "the listing has no end")
      }
      let page = try await reader.page(address)
      files += try ListingReader.files(page.bytes, from: address)
      next = try reader.next(after: page, at: address)
    }
    try checkNames(files, from: root)
    return Listing(commit: commit, files: files)
  }

  /// Two files of one name would be one file.
  private static func checkNames(_ files: [ListedFile], from source: String) throws(HubError) {
    var seen: Set<RelativePath> = []
    for file in files where !seen.insert(file.place).inserted {
      throw .badAnswer(source: source, reason: "it lists '\(file.path)' twice")
    }
  }

  /// Reads whole answers, as often as it takes.
  private struct PageReader {
    let request: PullRequest
    let client: HubClient
    let notice: @Sendable (PullEvent) -> Void

    struct Page {
      let bytes: [UInt8]
      let links: [String]
    }

    func page(_ address: String) async throws -> Page {
      var backoff = Backoff(client.settings.patience)
      while true {
        do {
          return try await attempt(address)
        } catch {
          switch try RequestFailure(error, client.settings.patience) {
          case .final(let error): throw error
          case .passing(let reason, let wish):
            guard let pause = backoff.pause(wish: wish) else {
              throw HubError.unreachable(what: address, attempts: backoff.failures, reason: reason)
            }
            notice(.retrying(file: request.name.description, reason: reason, seconds: pause))
            try await Task.sleep(for: .seconds(pause))
          }
        }
      }
    }

    private func attempt(_ address: String) async throws -> Page {
      let response = try await client.get(address, headers: ["Accept": "application/json"])
      guard response.status == 200 else {
        throw response.failure(
          StatusErrors(request, client.settings, source: address, path: nil))
      }
      var bytes: [UInt8] = []
      for try await part in response.body {
        guard part.readableBytes <= Listing.mostBytes - bytes.count else {
          throw HubError.badAnswer(source: address, reason: "it has more than \(Listing.mostBytes) bytes")
        }
        bytes += part.readableBytesView
      }
      return Page(bytes: bytes, links: response.headers[canonicalForm: "Link"].map(String.init))
    }

    /// The address of the next page, which must be the endpoint's own.
    func next(after page: Page, at address: String) throws(HubError) -> String? {
      let link = page.links.first { $0.contains("rel=\"next\"") || $0.contains("rel=next") }
      guard let link, let start = link.firstIndex(of: "<"), let end = link.firstIndex(of: ">"), start < end else {
        return nil
      }
      let text = String(link[link.index(after: start)..<end])
      let url = URL(string: text, relativeTo: URL(string: address))?.absoluteURL
      guard let url, client.isEndpoint(url) else {
        throw .badAnswer(source: address, reason: "its next page lies elsewhere: '\(text)'")
      }
      return url.absoluteString
    }
  }
}

extension StatusErrors {
  init(_ request: PullRequest, _ settings: HubSettings, source: String, path: String?) {
    self.init(
      name: request.name, revision: request.revision, endpoint: settings.endpoint, hasToken: settings.token != nil,
      longestWish: settings.patience.longestWish, source: source, path: path)
  }
}
