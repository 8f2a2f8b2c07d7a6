import Dispatch
import Files
import Synchronization
public import Tensors

/// Writes a safetensors file that carries checksums of itself, in a last tensor of its own.
///
/// The tensor `checksums` holds an I64 for each other tensor, in the file's order, and one more for the header and
/// those before it. No byte of the file can change unnoticed; ``SafetensorsFile/checkSeal(isCancelled:)`` looks.
public struct SealedSafetensorsWriter: ~Copyable {
  private var writer: SafetensorsWriter
  private var sums: [UInt64] = []

  /// Starts a file that will replace whatever is at `path`; no entry is called `checksums`.
  public init(
    path: String, entries: [SafetensorsWriter.Entry], metadata: [(key: String, value: String)] = []
  ) throws(CheckpointError) {
    let seal = SafetensorsWriter.Entry(name: Seal.name, shape: [entries.count + 1], dtype: .i64)
    writer = try SafetensorsWriter(path: path, entries: entries + [seal], metadata: metadata)
  }

  /// Writes the next entry whole.
  public mutating func write(_ tensor: Tensor, as name: String) throws(CheckpointError) {
    try writer.write(tensor, as: name)
    sums.append(tensor.withBytes { Checksum($0).value })
  }

  /// Writes the checksums and gives the file its name; every entry must have been written.
  public consuming func finish() throws(CheckpointError) {
    let all = sums + [Seal.sum(header: writer.header.span, sums)]
    let tensor = Tensor.filled(shape: [all.count], dtype: .i64, as: UInt64.self) { span in
      for i in all.indices { span[i] = all[i].littleEndian }
    }
    try writer.write(tensor, as: Seal.name)
    try writer.finish()
  }
}

extension SafetensorsFile {
  /// Holds every byte of a sealed file against its checksums, on all processors.
  ///
  /// - Parameter isCancelled: asked now and then; the answer `true` ends the reading.
  /// - Throws: ``CheckpointError`` at the first tensor that is damaged, and for a file that is not sealed;
  ///   `CancellationError`.
  public func checkSeal(isCancelled: () -> Bool = { false }) throws {
    let sealed = names.dropLast()
    guard names.last == Seal.name, let seal = try? tensor(Seal.name), seal.dtype == .i64,
      seal.count == sealed.count + 1
    else { throw CheckpointError(path: location, at: .key(Seal.name), "the file carries no checksums of itself") }
    let sums = seal.withSpan(of: UInt64.self) { span in span.indices.map { UInt64(littleEndian: span[$0]) } }
    guard withHeader({ Seal.sum(header: $0, sums.dropLast()) }) == sums.last else {
      throw CheckpointError(path: location, "its header or its checksums are damaged")
    }
    for batch in Seal.batches(sealed.map { descriptor($0)?.byteCount ?? 0 }) {
      if isCancelled() { throw CancellationError() }
      let damaged = Mutex<Int?>(nil)
      DispatchQueue.concurrentPerform(iterations: batch.count) { index in
        let tensor = try? tensor(sealed[batch.lowerBound + index])
        let sum = tensor?.withBytes { Checksum($0).value }
        if sum != sums[batch.lowerBound + index] {
          damaged.withLock { $0 = min($0 ?? .max, batch.lowerBound + index) }
        }
      }
      if let first = damaged.withLock({ $0 }) {
        throw CheckpointError(path: location, at: .key(sealed[first]), "the tensor is damaged")
      }
    }
  }
}

/// What writer and reader of a seal agree on.
private enum Seal {
  static let name = "checksums"

  static func sum(header: Span<UInt8>, _ sums: some Sequence<UInt64>) -> UInt64 {
    var checksum = Checksum(header)
    for sum in sums { checksum.add(sum) }
    return checksum.value
  }

  /// Neighbouring tensors of some 256 MiB together.
  static func batches(_ sizes: [Int]) -> [Range<Int>] {
    var batches: [Range<Int>] = []
    var (start, total) = (0, 0)
    for (index, size) in sizes.enumerated() {
      total += size
      if total >= 256 << 20 || index == sizes.count - 1 {
        batches.append(start..<index + 1)
        (start, total) = (index + 1, 0)
      }
    }
    return batches
  }
}
