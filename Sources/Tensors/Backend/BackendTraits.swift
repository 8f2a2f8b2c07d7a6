/// What a backend tells of itself before anything runs on it; plans and estimates of memory are made of this.
public struct BackendTraits: Sendable, Hashable {
  /// Where tensors lie.
  public enum Memory: Sendable, Hashable {
    /// In the process's own memory, beside everything else that it holds.
    case host
    /// In a device's, which has this many bytes; `nil` where it does not tell.
    case device(byteCount: Int?)
  }

  /// Bytes that a backend holds beside the tensors of networks, once it has worked for a while.
  public struct Overhead: Sendable, Hashable {
    /// What its threads have for themselves.
    public let scratch: Int
    /// Freed memory that it keeps for the next result, at most.
    public let kept: Int

    /// By default nothing.
    public init(scratch: Int = 0, kept: Int = 0) {
      (self.scratch, self.kept) = (scratch, kept)
    }

    /// Bytes of both.
    public var total: Int { scratch + kept }
  }

  /// Where its tensors lie.
  public let memory: Memory
  /// The precisions whose factors it multiplies as they are; without ``Precision/bf16`` rounded factors are widened to
  /// float32 first, and without ``Precision/int8`` that is computed as ``Precision/bf16``.
  public let precisions: Set<Precision>
  /// Whether a prepared linear reads its matrix where the checkpoint has it, a mapped file perhaps; otherwise it holds a
  /// copy.
  public let usesWeightsInPlace: Bool
  /// What it holds beside the tensors of networks.
  public let overhead: Overhead
  /// Whose arithmetic it is, down to the last bit: results of one text are the same, whatever else differs.
  public let arithmetic: String

  /// What a backend says of itself; by default it holds nothing but tensors.
  public init(
    memory: Memory, precisions: Set<Precision>, usesWeightsInPlace: Bool, overhead: Overhead = Overhead(),
    arithmetic: String = "plain"
  ) {
    self.memory = memory
    self.precisions = precisions
    self.usesWeightsInPlace = usesWeightsInPlace
    self.overhead = overhead
    self.arithmetic = arithmetic
  }
}
