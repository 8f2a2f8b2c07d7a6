/// A file of a model as the hub lists it.
public struct ListedFile: Sendable, Hashable {
  /// Its path in the model.
  public var path: String { place.description }
  /// Bytes.
  public let size: Int
  /// What its blob is called in the cache, and what its bytes are known by.
  let identity: BlobIdentity
  let place: RelativePath
}

/// The name of a blob: the digest of what it holds.
struct BlobIdentity: Sendable, Hashable {
  /// Lower-case hexadecimal digits.
  let name: String
  let algorithm: Digest.Algorithm

  /// The SHA-256 of a large file.
  init?(sha256: String) {
    guard sha256.isHexadecimal(64) else { return nil }
    (name, algorithm) = (sha256, .sha256)
  }

  /// The name that git gives a small file.
  init?(git: String) {
    guard git.isHexadecimal(40) else { return nil }
    (name, algorithm) = (git, .sha1)
  }

  /// The digest of a file of so many bytes before its first one: git's goes over a heading too.
  func start(size: Int) -> Digest {
    switch algorithm {
    case .sha256: Digest(.sha256)
    case .sha1: Digest(.sha1, of: Array("blob \(size)\0".utf8))
    }
  }
}
