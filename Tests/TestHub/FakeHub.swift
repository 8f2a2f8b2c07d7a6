import Hub
import Synchronization

/// A hub of one model, with large files on another host, that a test may let misbehave.
package final class FakeHub: Sendable {
  package static let commit = "0123456789abcdef0123456789abcdef01234567"
  package static let model = "Owner/Some-Model"

  /// A file of the model.
  package struct File: Sendable {
    package let path: String
    package let bytes: [UInt8]
    /// Whether it lies on the other host.
    package let isLarge: Bool

    package init(_ path: String, _ bytes: [UInt8], isLarge: Bool = false) {
      (self.path, self.bytes, self.isLarge) = (path, bytes, isLarge)
    }

    package var sha256: String { Digest(.sha256, of: bytes).hexadecimal }
    package var git: String { Digest(.sha1, of: Array("blob \(bytes.count)\0".utf8) + bytes).hexadecimal }
    /// What its blob is called.
    package var blob: String { isLarge ? sha256 : git }

    fileprivate var entry: String {
      let lfs = isLarge ? #","lfs":{"oid":"\#(sha256)","size":\#(bytes.count),"pointerSize":130}"# : ""
      let pointer = String(repeating: "a", count: 40)
      return #"{"type":"file","oid":"\#(isLarge ? pointer : git)","size":\#(bytes.count),"path":"\#(path)"\#(lfs)}"#
    }
  }

  /// Answers in the place of the usual ones; `nil` for the usual one.
  package typealias Twist = @Sendable (Call, _ usual: Reply) -> Reply?

  private let model: Model
  private let hub, store: HTTPServer

  package init(_ files: [File], pageSize: Int = 1000, twist: @escaping Twist = { _, _ in nil }) async throws {
    let model = Model(files: files, pageSize: pageSize, twist: twist)
    self.model = model
    store = try await HTTPServer { model.answer($0, $1, at: "store") { model.blob($0) } }
    let place = store.address
    hub = try await HTTPServer { model.answer($0, $1, at: "hub") { model.hub($0, store: place) } }
  }

  package var address: String { hub.address }

  /// What was asked of the hub and of the other host, in order.
  package var calls: [(host: String, call: Call)] { model.calls.withLock { $0 } }

  /// How often something was asked for whose address ends so.
  package func count(_ ending: String) -> Int { calls.count { $0.call.uri.hasSuffix(ending) } }

  private final class Model: Sendable {
    let files: [File]
    let pageSize: Int
    let twist: Twist
    let calls = Mutex<[(host: String, call: Call)]>([])

    init(files: [File], pageSize: Int, twist: @escaping Twist) {
      (self.files, self.pageSize, self.twist) = (files, pageSize, twist)
    }

    func answer(_ uri: String, _ headers: [String: String], at host: String, _ usual: (Call) -> Reply) -> Reply {
      let call = calls.withLock { calls in
        let call = Call(uri: uri, headers: headers, number: calls.count { $0.host == host && $0.call.uri == uri } + 1)
        calls.append((host, call))
        return call
      }
      let reply = usual(call)
      return twist(call, reply) ?? reply
    }

    func blob(_ call: Call) -> Reply {
      guard let file = files.first(where: { "/blobs/\($0.sha256)" == call.uri }) else { return Reply(404) }
      return .file(file.bytes, for: call)
    }

    func hub(_ call: Call, store: String) -> Reply {
      let api = "/api/models/\(FakeHub.model)/"
      if call.uri.hasPrefix(api + "revision/") {
        return call.uri.hasSuffix("/main")
          ? json(#"{"id":"\#(FakeHub.model)","sha":"\#(FakeHub.commit)","gated":false,"siblings":[]}"#)
          : Reply(404, [], headers: ["X-Error-Code": "RevisionNotFound"])
      }
      if call.uri.hasPrefix(api + "tree/\(FakeHub.commit)") { return page(call) }
      let root = "/\(FakeHub.model)/resolve/\(FakeHub.commit)/"
      guard call.uri.hasPrefix(root), let file = files.first(where: { root + $0.path == call.uri }) else {
        return Reply(
          404, [], headers: ["X-Error-Code": call.uri.contains(FakeHub.model) ? "EntryNotFound" : "RepoNotFound"])
      }
      let headers = ["X-Repo-Commit": FakeHub.commit, "ETag": "\"\(file.git)\""]
      guard file.isLarge else { return .file(file.bytes, for: call, headers: headers) }
      let linked = [
        "X-Linked-Etag": "\"\(file.sha256)\"", "X-Linked-Size": "\(file.bytes.count)",
        "Location": "\(store)/blobs/\(file.sha256)",
      ]
      return Reply(302, [], headers: headers.merging(linked) { $1 })
    }

    private func page(_ call: Call) -> Reply {
      let start = call.uri.split(separator: "cursor=").last.flatMap { Int($0) } ?? 0
      let end = min(start + pageSize, files.count)
      let folder = start == 0 ? [#"{"type":"directory","oid":"\#(FakeHub.commit)","size":0,"path":"sub"}"#] : []
      var reply = json("[" + (folder + files[start..<end].map(\.entry)).joined(separator: ",") + "]")
      if end < files.count {
        let path = call.uri.split(separator: "&").first.map(String.init) ?? ""
        reply.headers["Link"] = "<\(path)&cursor=\(end)>; rel=\"next\""
      }
      return reply
    }

    private func json(_ text: String) -> Reply {
      Reply(200, Array(text.utf8), headers: ["Content-Type": "application/json"])
    }
  }
}
