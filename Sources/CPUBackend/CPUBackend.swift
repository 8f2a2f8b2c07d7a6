import CKernels
import COneDNN
import Synchronization
public import Tensors

/// The operations on the processor: by the kernels, products by oneDNN where that has tile registers to use, on one pool
/// of threads.
///
/// Results depend on the instruction set, never on the number of threads. Results and temporary memory come from a
/// pool that keeps what was freed; ``trim()`` empties it.
public final class CPUBackend: HostBackend {
  public let name: String
  public let traits: BackendTraits
  let threads: Threads
  let primitives: PrimitiveCache
  let memory: BufferPool
  /// Whether our kernels multiply pairs of bfloat16; otherwise bfloat16 numbers are multiplied as float32.
  let multipliesBF16: Bool
  /// Whether oneDNN's code for bfloat16 beats our kernels; it does where it has tile registers (AMX).
  let packsBF16: Bool

  /// - Parameters:
  ///   - threads: threads that compute, the caller's among them; by default one per processor of this process.
  ///   - instructionSet: the best set that this backend's kernels may use; by default the best there is.
  public convenience init(threads: Int? = nil, instructionSet: InstructionSet? = nil) {
    self.init(threads: threads, instructionSet: instructionSet, idleLimit: 512 << 20)
  }

  /// - Parameters:
  ///   - idleLimit: bytes of freed memory kept for reuse.
  ///   - packs: whether oneDNN multiplies bfloat16 rather than our kernels; by default the faster one.
  init(threads wanted: Int?, instructionSet: InstructionSet?, idleLimit: Int, packs: Bool? = nil) {
    precondition((wanted ?? 1) >= 1, "a backend computes on one thread at least, not \(wanted ?? 0)")
    let instructionSet = min(instructionSet ?? .detected, .detected)
    threads = Threads(count: wanted ?? Memory.processors, instructionSet: instructionSet)
    primitives = PrimitiveCache(threads: threads)
    memory = BufferPool(limit: idleLimit)
    multipliesBF16 = instructionSet >= .avx512bf16
    packsBF16 = packs ?? (multipliesBF16 && CPUBackend.offersTiles(primitives))
    let version = "\(wan_dnn_version_major()).\(wan_dnn_version_minor()).\(wan_dnn_version_patch())"
    let count = threads.count == 1 ? "1 thread" : "\(threads.count) threads"
    traits = BackendTraits(
      memory: .host, precisions: multipliesBF16 ? [.f32, .bf16, .int8] : [.f32, .int8],
      usesWeightsInPlace: !packsBF16,
      overhead: .init(scratch: CPUBackend.typicalScratch, kept: idleLimit),
      arithmetic: "cpu \(instructionSet.rawValue)" + (packsBF16 ? ", oneDNN \(version)" : ""))
    name = "cpu \(instructionSet.rawValue), \(count), oneDNN \(version)"
  }

  /// The largest number of bytes of memory that this process has held at one time, mapped files in use included.
  public static func peakMemory() -> Int {
    Memory.peak
  }

  /// Bytes of results in use, and the most at one time since the last ``restartPeak()``; weights that are used where they
  /// were found do not count.
  package var memoryInUse: (present: Int, peak: Int) { memory.used }

  /// Forgets the peak of ``memoryInUse``, and goes on from what is in use.
  package func restartPeak() { memory.restartPeak() }

  /// How many threads the system gives this process at a time, the calling one among them, of those asked for.
  public static func threadsGiven(upTo count: Int) -> Int {
    // SAFETY: made here, and destroyed when its threads have been counted.
    guard let pool = unsafe wan_pool_create(count, nil) else { return 1 }
    defer { unsafe wan_pool_destroy(pool) }
    return unsafe wan_pool_threads(pool)
  }

  /// Gives memory kept for reuse back to the system.
  public func trim() {
    memory.trim()
    threads.trim()
  }

  /// Bytes that four threads have for themselves at the widest convolutions: a plan must not depend on their number.
  private static let typicalScratch = 192 << 20

  private static func offersTiles(_ primitives: PrimitiveCache) -> Bool {
    primitives.productIfOffered(ProductKey(bf16: true, m: 64, n: 64, k: 64))?.implementation.contains("amx") ?? false
  }
}

extension CPUBackend {
  /// Operations per second, a product and a sum being two, that loops of independent multiply-adds reach on all threads:
  /// what nothing that multiplies in this precision passes. Takes half a second.
  public func multiplicationRate(_ precision: Precision) -> Double {
    let factors =
      switch precision {
      case .f32: WAN_FACTORS_F32
      case .bf16: WAN_FACTORS_BF16
      case .int8: WAN_FACTORS_I8
      }
    // Threads do not wake at once, and others may be at work beside them: the best of several stretches counts.
    return (0..<8).map { _ in rate(factors, rounds: 1 << 21) }.max() ?? 0
  }

  private func rate(_ factors: wan_factors_t, rounds: Int) -> Double {
    let done = Mutex(0.0)
    let start = ContinuousClock.now
    threads.run(threads.count) { _, _ in
      let operations = wan_multiply_loop(factors, rounds)
      done.withLock { $0 += operations }
    }
    return done.withLock { $0 } / ((ContinuousClock.now - start) / .seconds(1))
  }
}

extension CPUBackend {
  /// A tensor of any content.
  func empty(_ shape: Shape, _ dtype: DType) -> Tensor {
    Tensor(shape: shape, dtype: dtype, storage: memory.storage(byteCount: shape.count * dtype.byteCount))
  }

  /// Elements that one task of a pointwise operation takes.
  static let grain = 1 << 16

  /// Rows that one task takes, when a row has `columns` elements.
  static func rowGrain(_ columns: Int) -> Int {
    max(1, grain / max(1, columns))
  }
}

extension Tensor {
  /// The address of an element.
  @unsafe
  func address(_ element: Int) -> UnsafeMutableRawPointer {
    unsafe pointer + element * dtype.byteCount
  }

  /// The address of an element of a float32 tensor.
  @unsafe
  func floats(_ element: Int) -> UnsafeMutablePointer<Float> {
    unsafe address(element).assumingMemoryBound(to: Float.self)
  }

  /// The element type as the kernels name it.
  ///
  /// - Parameter operation: who asks, for the trap on any other type.
  func kernelType(_ operation: StaticString) -> wan_dtype_t {
    dtype.kernelType(operation)
  }
}

extension DType {
  func kernelType(_ operation: StaticString) -> wan_dtype_t {
    switch self {
    case .f32: WAN_F32
    case .bf16: WAN_BF16
    default: preconditionFailure("\(operation): tensors are F32 or BF16, not \(rawValue)")
    }
  }
}

extension Activation {
  var kernel: wan_activation_t {
    switch self {
    case .none: WAN_ACT_NONE
    case .silu: WAN_ACT_SILU
    case .gelu: WAN_ACT_GELU
    case .relu: WAN_ACT_RELU
    }
  }
}
