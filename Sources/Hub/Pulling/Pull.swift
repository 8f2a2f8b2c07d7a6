import Files
import Foundation

/// Brings a model from the hub into the cache.
///
/// Whatever ends it, what came stays; the next pull of the same model goes on from there.
public struct Pull: Sendable {
  private let request: PullRequest
  private let cache: HubCache
  private let settings: HubSettings

  /// - Parameters:
  ///   - request: what is wanted.
  ///   - cache: where it goes.
  ///   - settings: which hub is asked.
  public init(_ request: PullRequest, into cache: HubCache, from settings: HubSettings) {
    (self.request, self.cache, self.settings) = (request, cache, settings)
  }

  /// Fetches what is missing; returns when all of it is there and has been checked.
  ///
  /// - Parameter onEvent: called from several threads.
  /// - Throws: ``HubError``, or `CancellationError`.
  public func run(onEvent: @escaping @Sendable (PullEvent) -> Void = { _ in }) async throws -> PulledModel {
    guard !settings.isOffline else { return try pulledBefore() }
    let client = HubClient(settings, connections: request.jobs)
    do {
      let pulled = try await run(client, onEvent)
      await client.shutDown()
      return pulled
    } catch {
      await client.shutDown()
      throw error
    }
  }

  private func pulledBefore() throws(HubError) -> PulledModel {
    guard let model = cache.model(request.name), model.isComplete, let commit = model.commit(of: request.revision)
    else {
      throw .offline(request.name)
    }
    return PulledModel(
      name: request.name, commit: commit, folder: model.snapshot(commit), files: model.files(of: commit),
      bytes: model.bytes, fetched: 0)
  }

  private func run(
    _ client: HubClient, _ onEvent: @escaping @Sendable (PullEvent) -> Void
  ) async throws -> PulledModel {
    let listing = try await Listing.fetch(request, from: client, notice: onEvent)
    let files = listing.files.filter(request.wants)
    guard !files.isEmpty else { throw HubError.nothingMatches(request.name, listed: listing.files.map(\.path)) }
    let folder = RepositoryFolder(name: request.name, cache: cache.path)
    let blobs = Self.blobs(of: files)
    let bytes = blobs.reduce(0) { $0 + $1.size }
    let present = blobs.reduce(0) { $0 + folder.presentBytes(of: $1) }
    try checkSpace(needed: bytes - present)
    try folder.make(commit: listing.commit)
    onEvent(.planned(files: files.count, bytes: bytes, present: present))
    try markUnfinished(blobs, in: folder)
    let meter = PullMeter(bytes: bytes, tell: onEvent)
    let batch = BlobBatch(request: request, commit: listing.commit, client: client, folder: folder, meter: meter)
    try await batch.fetch(blobs, at: request.jobs)
    for file in files { try folder.link(file, commit: listing.commit) }
    try folder.setReference(request.revision, to: listing.commit)
    return PulledModel(
      name: request.name, commit: listing.commit, folder: folder.snapshot(listing.commit), files: files.count,
      bytes: bytes, fetched: meter.fetched)
  }

  /// One file of each blob, the largest first, so that none of them is left alone at the end.
  private static func blobs(of files: [ListedFile]) -> [ListedFile] {
    var seen: Set<BlobIdentity> = []
    return files.filter { seen.insert($0.identity).inserted }.sorted { $0.size > $1.size }
  }

  /// An empty part stands for every blob that is to come, so that a pull that breaks off is seen to have.
  private func markUnfinished(_ blobs: [ListedFile], in folder: RepositoryFolder) throws(HubError) {
    for file in blobs where !folder.has(file) {
      do { _ = try ResumedFile(path: folder.unfinished(file.identity)) } catch {
        throw .cache(reason: error.description)
      }
    }
  }

  private func checkSpace(needed: Int) throws(HubError) {
    // The nearest folder that is there: the cache itself may not be yet.
    var place = cache.path
    while FileStatus(path: place) == nil, place != "/", place != "." { place = Paths.folder(of: place) }
    let space = try? FileManager.default.attributesOfFileSystem(forPath: place)[.systemFreeSize] as? NSNumber
    guard let free = space?.intValue, needed > free else { return }
    throw .noSpace(folder: place, needed: needed, free: free)
  }
}

/// Several blobs of one model, fetched some at a time.
struct BlobBatch: Sendable {
  let request: PullRequest
  let commit: String
  let client: HubClient
  let folder: RepositoryFolder
  let meter: PullMeter

  /// Fetches all; the first error ends the others, which keep what they have.
  func fetch(_ blobs: [ListedFile], at jobs: Int) async throws {
    try await withThrowingTaskGroup { group in
      var waiting = blobs[...]
      for file in waiting.prefix(jobs) { group.addTask { try await fetch(file) } }
      waiting = waiting.dropFirst(jobs)
      while try await group.next() != nil {
        if let file = waiting.popFirst() { group.addTask { try await fetch(file) } }
      }
    }
  }

  private func fetch(_ file: ListedFile) async throws {
    try await BlobDownload(file, in: self).run()
    try folder.link(file, commit: commit)
    meter.tell(.finished(file: file.path))
  }
}
