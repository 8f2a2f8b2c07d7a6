import AsyncHTTPClient
import Files
import Foundation
import NIOCore
import NIOHTTP1

/// Fetches one blob, from where an earlier attempt of whichever program ended.
struct BlobDownload {
  private let file: ListedFile
  private let batch: BlobBatch
  private var folder: RepositoryFolder { batch.folder }
  private var patience: HubSettings.Patience { batch.client.settings.patience }

  init(_ file: ListedFile, in batch: BlobBatch) {
    (self.file, self.batch) = (file, batch)
  }

  /// Returns when the blob is there, whoever fetched it, and every byte has been checked.
  func run() async throws {
    let lock = try await lock()
    defer { withExtendedLifetime(lock) {} }
    if folder.has(file) {
      ResumedFile.remove(folder.unfinished(file.identity))
      batch.meter.add(file.size)
      return
    }
    ForeignParts(file, in: folder).adopt()
    for attempt in 1...2 {
      if try await isFetched() { return }
      guard attempt == 1 else { break }
      batch.meter.tell(.damaged(file: file.path))
    }
    throw HubError.wrongBytes(path: file.path, source: address)
  }

  private var address: String {
    let path = RelativePath(file.path)?.escaped ?? ""
    return "\(batch.client.settings.endpoint)/\(batch.request.name)/resolve/\(batch.commit)/\(path)"
  }

  /// The lock that Python's tools take for the same blob; `nil` on a file system that has none.
  private func lock() async throws -> SharedLock? {
    let path = folder.lock(file.identity)
    var isTold = false
    while true {
      switch SharedLock.attempt(path) {
      case .taken(let lock): return lock
      case .unavailable: return nil
      case .busy:
        if !isTold { batch.meter.tell(.waiting(file: file.path)) }
        isTold = true
        try await Task.sleep(for: .milliseconds(200))
      }
    }
  }

  /// - Returns: false when the bytes are wrong, and are gone.
  private func isFetched() async throws -> Bool {
    let part = try PartialBlob(file, in: folder, meter: batch.meter)
    do {
      try await fill(part)
      guard part.isSound else { throw WrongBytes() }
      try part.publish()
      return true
    } catch is WrongBytes {
      part.discard()
      return false
    }
  }

  /// Asks for what is missing until nothing is.
  private func fill(_ part: PartialBlob) async throws {
    try part.readPresent()
    var backoff = Backoff(patience)
    while part.count < file.size {
      let before = part.count
      do {
        try await attempt(part)
      } catch is WrongBytes {
        throw WrongBytes()
      } catch {
        guard case .passing(let reason, let wish) = try failure(error) else { continue }
        if part.count > before { backoff.reset() }
        guard let pause = backoff.pause(wish: wish) else {
          throw HubError.unreachable(what: file.path, attempts: backoff.failures, reason: reason)
        }
        batch.meter.tell(.retrying(file: file.path, reason: reason, seconds: pause))
        try await Task.sleep(for: .seconds(pause))
      }
    }
  }

  private func failure(_ error: any Error) throws -> RequestFailure {
    let failure = try RequestFailure(error, patience)
    if case .final(let error) = failure { throw error }
    return failure
  }

  /// One request, as far as it goes.
  private func attempt(_ part: PartialBlob) async throws {
    var headers: HTTPHeaders = ["Accept-Encoding": "identity"]
    if part.count > 0 { headers.add(name: "Range", value: "bytes=\(part.count)-") }
    let response = try await batch.client.get(address, headers: headers)
    try start(part, response)
    for try await bytes in response.body {
      guard bytes.readableBytes <= file.size - part.count else { throw WrongBytes() }
      try part.add(bytes.readableBytesUInt8Span)
      try Task.checkCancellation()
    }
    if part.count < file.size {
      throw RequestFailure.passing("the connection broke off after \(part.count) of \(file.size) bytes", wish: nil)
    }
  }

  /// Looks at an answer's head: whether it goes on from where the part ends, begins anew, or is no file.
  private func start(_ part: PartialBlob, _ response: HubResponse) throws {
    switch response.status {
    case 200:
      try part.restart()
      if let length = response.length, length != file.size { throw WrongBytes() }
    case 206:
      let range = response.headers.first(name: "Content-Range") ?? ""
      guard range.hasPrefix("bytes \(part.count)-") else {
        try part.restart()
        throw RequestFailure.passing("\(response.host) sends other bytes than were asked for", wish: nil)
      }
      guard range.hasSuffix("/*") || range.hasSuffix("/\(file.size)") else { throw WrongBytes() }
    case 416:
      try part.restart()
      throw RequestFailure.passing("\(response.host) has no byte \(part.count)", wish: nil)
    default:
      throw response.failure(
        StatusErrors(batch.request, batch.client.settings, source: address, path: file.path))
    }
  }
}

/// What came is not what was asked for.
struct WrongBytes: Error {}
