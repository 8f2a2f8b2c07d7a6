import CDigests

/// A digest of bytes that come in pieces: SHA-256 or SHA-1, FIPS 180-4.
package struct Digest: Sendable {
  /// Whose sums are computed.
  package enum Algorithm: Sendable, Hashable {
    case sha256, sha1

    fileprivate var start: [UInt32] {
      switch self {
      case .sha256:
        [
          0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
        ]
      case .sha1: [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0]
      }
    }
  }

  private let algorithm: Algorithm
  private var state: [UInt32]
  /// Bytes that do not fill a block yet.
  private var rest: [UInt8] = []
  private var count: UInt64 = 0

  private static let block = 64

  /// Of no bytes.
  package init(_ algorithm: Algorithm) {
    (self.algorithm, state) = (algorithm, algorithm.start)
    rest.reserveCapacity(2 * Self.block)
  }

  /// Of a text's bytes.
  package init(_ algorithm: Algorithm, of bytes: [UInt8]) {
    self.init(algorithm)
    add(bytes.span)
  }

  /// Goes on with more bytes.
  package mutating func add(_ bytes: Span<UInt8>) {
    count &+= UInt64(bytes.count)
    var start = 0
    if !rest.isEmpty {
      while rest.count < Self.block && start < bytes.count {
        rest.append(bytes[start])
        start += 1
      }
      guard rest.count == Self.block else { return }
      let block = rest
      Self.take(block.span, into: &state, algorithm)
      rest.removeAll(keepingCapacity: true)
    }
    let end = start + (bytes.count - start) / Self.block * Self.block
    Self.take(bytes.extracting(start..<end), into: &state, algorithm)
    for i in end..<bytes.count { rest.append(bytes[i]) }
  }

  /// The digest of all bytes so far in hexadecimal digits, as the hub writes it.
  package var hexadecimal: String {
    var last = self
    var padding: [UInt8] = [0x80]
    while (rest.count + padding.count) % Self.block != Self.block - 8 { padding.append(0) }
    let bits = count &* 8
    for shift in stride(from: 56, through: 0, by: -8) {
      padding.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
    }
    last.add(padding.span)
    return last.state.map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 8 - digits.utf8.count) + digits
    }.joined()
  }

  /// - Parameter blocks: whole ones.
  private static func take(_ blocks: Span<UInt8>, into state: inout [UInt32], _ algorithm: Algorithm) {
    let count = blocks.count / block
    guard count > 0 else { return }
    // SAFETY: the functions read so many blocks, which live during the call, and write the words of the state alone.
    unsafe blocks.withUnsafeBytes { bytes in
      switch algorithm {
      case .sha256: unsafe wan_sha256_blocks(&state, bytes.baseAddress, count)
      case .sha1: unsafe wan_sha1_blocks(&state, bytes.baseAddress, count)
      }
    }
  }
}
