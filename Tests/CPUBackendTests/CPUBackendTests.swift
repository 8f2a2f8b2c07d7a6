import Synchronization
import Tensors
import TestSupport
import Testing

@testable import CPUBackend

/// Each test brings pools of threads of its own, so they run one at a time.
@Suite(.serialized)
struct CPUBackendTests {
  static let conformance = BackendConformance()
  static let sets = InstructionSet.allCases.filter { $0 <= InstructionSet.detected }

  @Test("agrees with the reference backend on every operation, alike on one thread and two", arguments: sets)
  func conforms(set: InstructionSet) throws {
    let one = try Self.conformance.outcomes(of: CPUBackend(threads: 1, instructionSet: set))
    let two = try Self.conformance.outcomes(of: CPUBackend(threads: 2, instructionSet: set))
    for outcome in one where !outcome.passes { Issue.record("\(set), \(outcome)") }
    for (one, two) in zip(one, two) where one.checksum != two.checksum {
      Issue.record("\(set), \(one.name): one thread and two give other bytes")
    }
  }

  @Test(
    "agrees with the reference backend whoever multiplies bfloat16, oneDNN or our kernels", arguments: [true, false])
  func conformsEitherWay(packs: Bool) throws {
    let backend = CPUBackend(threads: 2, instructionSet: nil, idleLimit: 1 << 20, packs: packs)
    for outcome in try Self.conformance.outcomes(of: backend) where !outcome.passes { Issue.record("\(outcome)") }
  }

  @Test("gives the same bytes for sizes that many threads share", arguments: Precision.allCases)
  func deterministic(precision: Precision) {
    let results = [1, 2, 3].map { threads in
      let backend = CPUBackend(threads: threads, instructionSet: .detected)
      let x = Tensor.random([331, 520], seed: 1)
      let linear = backend.prepare(.dense(.random([643, 520], seed: 2)), bias: nil, precision: precision)
      let y = linear(x, activation: .gelu, output: precision.activations)
      let q = y.slice(0..<300).reshaped([1, 300, 1, 643])
      return backend.attention(q, q, q, AttentionOptions(scale: 0.04)).floats()
    }
    #expect(results[0] == results[1] && results[0] == results[2])
  }

  @Test("multiplies by weights in oneDNN's own layout as by plain ones", arguments: [Precision.f32, .bf16])
  func packed(precision: Precision) throws {
    let backend = CPUBackend(threads: 2, instructionSet: .detected)
    if precision == .bf16 && !backend.multipliesBF16 { return }
    let weight = Tensor.random([300, 77], seed: 3)
    let bias = Tensor.random([300], seed: 4)
    let plain = backend.linear(weight, bias: bias, precision: precision, packs: false)
    let packed = backend.linear(weight, bias: bias, precision: precision, packs: true)
    guard case .packed = packed.form else {
      Issue.record("the weights were not packed")
      return
    }
    for rows in [1, 5, 64, 700] {
      let x = Tensor.random([rows, 77], seed: 5)
      let expected = plain(x, activation: .silu, output: .f32)
      #expect(relativeError(packed(x, activation: .silu, output: .f32), expected) < 1e-6)
    }
  }

  @Test("keeps bfloat16 weights where they are", arguments: sets)
  func inPlace(set: InstructionSet) {
    let backend = CPUBackend(threads: 1, instructionSet: set)
    let weight = Tensor.random([40, 30], seed: 6, dtype: .bf16)
    for precision in [Precision.f32, .bf16] where !(precision == .bf16 && backend.packsBF16) {
      let prepared = backend.linear(weight, bias: nil, precision: precision)
      guard case .plain(.numbers(let kept)) = prepared.form else {
        Issue.record("the weights were copied")
        continue
      }
      #expect(kept.storage === weight.storage)
    }
  }

  @Test("adds in place when nobody else holds the tensor, and beside it when somebody does")
  func addsInPlace() {
    let backend = CPUBackend(threads: 2, instructionSet: .detected)
    let gate = RowTable(uniform: Tensor([2, 3], shape: [2]), tokens: 2)
    let y = Tensor([1, 1, 1, 1], shape: [1, 2, 2])
    var x = Tensor([0, 1, 2, 3], shape: [1, 2, 2])
    let storage = ObjectIdentifier(x.storage)
    backend.addGated(y, gate: gate, to: &x)
    #expect(ObjectIdentifier(x.storage) == storage)
    #expect(x.floats() == [2, 4, 4, 6])
    let kept = x
    backend.addGated(y, gate: gate, to: &x)
    #expect(kept.floats() == [2, 4, 4, 6])
    #expect(x.floats() == [4, 7, 6, 9])
  }

  @Test("is one backend to many callers at a time")
  func concurrent() async {
    let backend = CPUBackend(threads: 2, instructionSet: .detected)
    let linear = backend.prepare(.dense(.random([130, 64], seed: 7)), bias: nil, precision: .f32)
    let results = await withTaskGroup(of: [Float].self) { group in
      for _ in 0..<8 {
        group.addTask {
          let x = Tensor.random([33, 64], seed: 8)
          return backend.activate(linear(x), .gelu).floats()
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }

  @Test("names itself")
  func name() {
    let name = CPUBackend(threads: 2, instructionSet: .portable).name
    #expect(name.hasPrefix("cpu portable, 2 threads, oneDNN "))
  }
}
