public import Files

/// A part of a mapped file: where a weight lies that is used in place.
public struct MappedRegion: Sendable {
  /// The mapping; its identity tells which file it is.
  public let storage: Storage
  /// Bytes of it.
  public let range: Range<Int>

  /// Bytes of a storage; traps outside of it.
  public init(_ storage: Storage, _ range: Range<Int>) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= storage.byteCount, "bytes \(range) of \(storage.byteCount)")
    (self.storage, self.range) = (storage, range)
  }

  /// Reads it into memory; returns when all of it is there.
  ///
  /// - Throws: what the system could not read.
  public func fetch() throws(FileError) { try storage.fetch(range) }

  /// Gives its memory back.
  ///
  /// - Parameter fromCache: whether the system should forget the bytes too, so that they push nothing else out.
  public func drop(fromCache: Bool) { storage.discardCachedPages(in: range, fromCache: fromCache) }

  /// Regions in the order of their files' bytes, those that touch made one.
  public static func joined(_ regions: [MappedRegion]) -> [MappedRegion] {
    let files = Dictionary(grouping: regions) { ObjectIdentifier($0.storage) }
    let order = regions.map { ObjectIdentifier($0.storage) }
    var seen: Set<ObjectIdentifier> = []
    return order.filter { seen.insert($0).inserted }.flatMap { file in
      (files[file] ?? []).sorted { $0.range.lowerBound < $1.range.lowerBound }.reduce(into: [MappedRegion]()) {
        joined, next in
        guard let last = joined.last, next.range.lowerBound <= last.range.upperBound else { return joined.append(next) }
        let end = max(last.range.upperBound, next.range.upperBound)
        joined[joined.count - 1] = MappedRegion(last.storage, last.range.lowerBound..<end)
      }
    }
  }
}

extension Tensor {
  /// Where its bytes lie in a mapped file; `nil` for memory of another kind.
  public var mappedRegion: MappedRegion? {
    storage.isMapped ? MappedRegion(storage, byteOffset..<byteOffset + byteCount) : nil
  }
}

extension StoredMatrix {
  /// Where its large part lies in a mapped file: numbers, bytes or codes, without their scales.
  public var mappedRegion: MappedRegion? {
    switch self {
    case .dense(let tensor): tensor.mappedRegion
    case .scaledRows(let rows): rows.values.mappedRegion
    case .encoded(let matrix): matrix.codes.mappedRegion
    }
  }
}
