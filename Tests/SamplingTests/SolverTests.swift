import Foundation
import Sampling
import Tensors
import TestSupport
import Testing

@Suite("Solvers")
struct SolverTests {
  struct Case: Decodable {
    let solver: String
    let steps: Int
    let shift: Double
  }

  @Test("every recorded schedule and every step of it, from the published schedulers")
  func golden() throws {
    try check(cases: Golden.json("parts/schedulers.json"), tensors: Golden.tensors("parts/schedulers.safetensors"))
  }

  @Test("more step counts and shifts from the published schedulers")
  func fixtures() throws {
    let base = Golden.fixturesFolder + "/Sampling/schedulers"
    let cases = try JSONDecoder().decode([Case].self, from: Golden.data(base + ".json"))
    try check(cases: cases, tensors: TensorFile.read(base + ".safetensors"))
  }

  private func check(cases: [Case], tensors: [String: Tensor]) throws {
    for (i, recorded) in cases.enumerated() {
      func tensor(_ name: String) throws -> Tensor { try #require(tensors["\(i).\(name)"]) }
      let name = "\(recorded.solver), \(recorded.steps) steps, shift \(recorded.shift)"
      let kind = try #require(SolverKind(rawValue: recorded.solver))
      let schedule = try Schedule(solver: kind, steps: recorded.steps, shift: recorded.shift)
      #expect(try schedule.timesteps == tensor("timesteps").floats(), "\(name)")
      #expect(try schedule.sigmas == tensor("sigmas").floats(), "\(name)")
      var solver = makeSolver(kind, schedule: schedule)
      var latents = try tensor("noise")
      let (velocities, expected) = try (tensor("model_outputs"), tensor("latents"))
      var worst = 0.0
      for step in 0..<schedule.steps {
        latents = solver.step(velocity: Velocity(velocities[step]), latents: latents).latents
        worst = max(worst, relativeError(latents, expected[step]))
      }
      #expect(worst < 3e-6, "\(name): \(worst)")
    }
  }

  @Test("every solver follows a straight path to its end", arguments: SolverKind.allCases)
  func straightPath(kind: SolverKind) throws {
    let (clean, noise) = (Tensor([0.5, -2, 3], shape: [3]), Tensor([1, 0.25, -1], shape: [3]))
    let start = zip(noise.floats(), clean.floats()).map { $0 - $1 }
    for steps in [1, 2, 3, 7] {
      let schedule = try Schedule(solver: kind, steps: steps, shift: 3)
      let sigma = schedule.sigmas[0]
      var x = Tensor((0..<3).map { clean.floats()[$0] + sigma * start[$0] }, shape: [3])
      var solver = makeSolver(kind, schedule: schedule)
      for sigma in schedule.sigmas.dropLast() {
        // What leads straight to the clean sample from where the solver is; on the path it is the same at every place.
        let velocity =
          kind == .eulerAncestral ? zip(x.floats(), clean.floats()).map { ($0 - $1) / sigma } : start
        x = solver.step(velocity: Velocity(Tensor(velocity, shape: [3])), latents: x).renoised { noise }.latents
      }
      #expect(relativeError(x, clean) < 1e-5)
      #expect(solver.index == steps)
    }
  }

  @Test("LCM draws noise up to the next level, and none at the end")
  func renoising() throws {
    let schedule = try Schedule(timesteps: [900, 500])
    var solver = makeSolver(.lcm, schedule: schedule)
    let (x, v, noise) = (Tensor([1, -2], shape: [2]), Tensor([0.5, 1], shape: [2]), Tensor([3, -1], shape: [2]))
    let first = solver.step(velocity: Velocity(v), latents: x)
    #expect(relativeError(first.clean.floats(), [0.55, -2.9]) < 1e-6 && first.freshNoise == 0.5)
    let next = first.renoised { noise }
    #expect(relativeError(next.latents.floats(), [0.275 + 1.5, -1.45 - 0.5]) < 1e-6 && next.freshNoise == 0)
    let last = solver.step(velocity: Velocity(v), latents: next.latents)
    #expect(last.freshNoise == 0 && last.latents.floats() == last.clean.floats())
    _ = last.renoised {
      Issue.record("noise was drawn"); return noise
    }
  }

  @Test("ancestral Euler goes on with the next level's shares of signal and noise")
  func ancestral() throws {
    let schedule = try Schedule(timesteps: [1000, 900, 500, 100])
    var solver = makeSolver(.eulerAncestral, schedule: schedule)
    let (clean, noise) = (2.0, -0.75)
    for (sigma, next) in zip(schedule.sigmas.map(Double.init), schedule.sigmas.dropFirst().map(Double.init)) {
      let x = (1 - sigma) * clean + sigma * noise
      let solved = solver.step(
        velocity: Velocity(Tensor([Float(noise - clean)], shape: [1])), latents: Tensor([Float(x)], shape: [1]))
      let kept = (Double(solved.latents.floats()[0]) - (1 - next) * clean) / noise
      let fresh = Double(solved.freshNoise)
      #expect(abs(kept * kept + fresh * fresh - next * next) < 1e-6)
      // With eta 1 the step without noise ends at next^2 / sigma, and the signal is brought back to its share.
      let down = next * next / sigma
      #expect(abs(kept - down * (1 - next) / (1 - down)) < 1e-6)
      #expect((fresh > 0) == (next > 0) && relativeError(solved.clean.floats(), [Float(clean)]) < 1e-6)
    }
  }

  @Test("every solver converges on a curved path", arguments: [(SolverKind.euler, 1), (.dpmpp, 1), (.unipc, 2)])
  func convergence(kind: SolverKind, order: Int) throws {
    // Data N(0, s^2): the exact velocity is x (sigma - (1 - sigma) s^2) / (sigma^2 + (1 - sigma)^2 s^2).
    let s: Float = 0.5
    func error(_ steps: Int) throws -> Double {
      let schedule = try Schedule(solver: kind, steps: steps, shift: 1)
      let first = schedule.sigmas[0]
      let spread = (first * first + (1 - first) * (1 - first) * s * s).squareRoot()
      var x = Tensor([1], shape: [1])
      var solver = makeSolver(kind, schedule: schedule)
      for sigma in schedule.sigmas.dropLast() {
        let factor = (sigma - (1 - sigma) * s * s) / (sigma * sigma + (1 - sigma) * (1 - sigma) * s * s)
        x = solver.step(velocity: Velocity(Tensor(x.floats().map { $0 * factor }, shape: [1])), latents: x).latents
      }
      return relativeError(x.floats(), [s / spread])
    }
    #expect(try error(40) < error(20) / (order == 1 ? 1.8 : 2.5))
    #expect(try error(80) < (order == 1 ? 2e-2 : 1e-3))
  }

  @Test("a copied solver goes on alone")
  func valueSemantics() throws {
    let schedule = try Schedule(solver: .unipc, steps: 3, shift: 5)
    var first = UniPCSolver(schedule: schedule)
    let (x, v) = (Tensor.random([4], seed: 1), Tensor.random([4], seed: 2))
    let y = first.step(velocity: Velocity(v), latents: x).latents
    var second = first
    #expect(
      first.step(velocity: Velocity(v), latents: y).latents.floats()
        == second.step(velocity: Velocity(v), latents: y).latents.floats())
  }

  @Test("guidance goes from the unconditional through the conditional output", arguments: SolverKind.allCases)
  func guidance(kind: SolverKind) throws {
    let (c, u) = (Tensor([2, 3], shape: [2]), Tensor([1, 5], shape: [2]))
    let schedule = try Schedule(solver: kind, steps: 4, shift: 3)
    for (scale, expected) in [(Float(4), [Float(5), -3]), (0, [1, 5]), (1, [2, 3])] {
      var (guided, single) = (makeSolver(kind, schedule: schedule), makeSolver(kind, schedule: schedule))
      var (x, y) = (Tensor([1, -1], shape: [2]), Tensor([1, -1], shape: [2]))
      for _ in 0..<4 {
        x = guided.step(velocity: Velocity(conditional: c, unconditional: u, scale: scale), latents: x).latents
        y = single.step(velocity: Velocity(Tensor(expected, shape: [2])), latents: y).latents
      }
      #expect(x.floats() == y.floats())
    }
  }

  /// Model outputs of 5 steps.
  private static func velocities(_ shape: Shape, isGuided: Bool) -> [Velocity] {
    (0..<5).map { step in
      let conditional = Tensor.random(shape, seed: UInt64(step))
      guard isGuided else { return Velocity(conditional) }
      return Velocity(conditional: conditional, unconditional: .random(shape, seed: UInt64(step) + 90), scale: 4)
    }
  }

  /// The state out of the bytes of its numbers, as a file would have it.
  private static func copied(_ state: SolverState) -> SolverState {
    SolverState(
      index: state.index,
      tensors: state.tensors.mapValues { tensor in
        let bytes = tensor.floats().flatMap { value in
          (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
        }
        let values = stride(from: 0, to: bytes.count, by: 4).map { start in
          Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1)) })
        }
        return Tensor(values, shape: tensor.shape)
      })
  }

  private func bits(_ tensor: Tensor) -> [UInt32] { tensor.floats().map(\.bitPattern) }

  @Test(
    "a solver made of its state after any step goes on to the end, bit for bit", arguments: SolverKind.allCases,
    [true, false])
  func state(kind: SolverKind, isGuided: Bool) throws {
    let schedule = try Schedule(solver: kind, steps: 5, shift: 5)
    let velocities = Self.velocities([7], isGuided: isGuided)
    var solver = makeSolver(kind, schedule: schedule)
    var (path, states) = ([Tensor.random([7], seed: 1)], [solver.state])
    for velocity in velocities {
      path.append(solver.step(velocity: velocity, latents: path[solver.index]).latents)
      states.append(solver.state)
    }
    #expect(states.map(\.index) == Array(0...5))
    for (start, state) in states.enumerated() {
      var other = try makeSolver(kind, schedule: schedule, state: Self.copied(state))
      var x = path[start]
      for step in start..<5 {
        x = other.step(velocity: velocities[step], latents: x).latents
        #expect(bits(x) == bits(path[step + 1]), "from step \(start), after step \(step + 1)")
      }
      #expect(other.index == 5)
    }
  }

  @Test("a state that does not fit is refused with what does not")
  func strangers() throws {
    let (x, short) = (Tensor.zeros([7]), Tensor.zeros([6]))
    let whole = Tensor.zeros([7], dtype: .i32)
    let cases: [(kind: SolverKind, index: Int, tensors: [String: Tensor], says: [String])] = [
      (.euler, 6, [:], ["step 6 of 5"]), (.unipc, -1, [:], ["step -1 of 5"]), (.dpmpp, .max, ["clean": x], ["of 5"]),
      (.dpmpp, 2, ["stray": x], ["stray", "clean"]), (.euler, 2, ["clean": x], ["clean", "step 2"]),
      (.unipc, 2, ["clean": x], ["clean", "latents", "older"]), (.unipc, 0, ["clean": x], ["clean", "step 0"]),
      (.unipc, 1, ["latents": x, "clean": short], ["[6]", "[7]"]), (.dpmpp, 1, ["clean": whole], ["float32"]),
    ]
    for (kind, index, tensors, says) in cases {
      let schedule = try Schedule(solver: kind, steps: 5, shift: 5)
      let error = try #require(throws: SamplingError.self) {
        _ = try makeSolver(kind, schedule: schedule, state: SolverState(index: index, tensors: tensors))
      }
      for part in says { #expect(error.description.contains(part), "\(kind): \(error)") }
    }
  }

  @Test("a step's clean sample is x - sigma v of where it began", arguments: SolverKind.allCases, [true, false])
  func cleanSamples(kind: SolverKind, isGuided: Bool) throws {
    let schedule = try Schedule(solver: kind, steps: 5, shift: 5)
    var solver = makeSolver(kind, schedule: schedule)
    var x = Tensor.random([7], seed: 1)
    for step in 0..<5 {
      let conditional = Tensor.random([7], seed: UInt64(step))
      let other = Tensor.random([7], seed: UInt64(step) + 90)
      let solved = solver.step(
        velocity: isGuided
          ? Velocity(conditional: conditional, unconditional: other, scale: 4) : Velocity(conditional),
        latents: x)
      let (start, c, u) = (x.floats(), conditional.floats(), other.floats())
      let expected = (0..<7).map { i in
        start[i] - schedule.sigmas[step] * (isGuided ? u[i] + 4 * (c[i] - u[i]) : c[i])
      }
      #expect(solved.clean.floats() == expected, "step \(step + 1)")
      x = solved.latents
    }
  }

  @Test(
    "a step makes so many tensors, guided or not, and its clean sample at most one more, when it is read",
    arguments: [(SolverKind.unipc, 3, 0), (.dpmpp, 2, 0), (.euler, 1, 1), (.lcm, 2, 0), (.eulerAncestral, 1, 1)],
    [true, false])
  func allocations(_ expected: (kind: SolverKind, step: Int, clean: Int), isGuided: Bool) throws {
    let shape: Shape = [16, 21, 8, 8]
    let schedule = try Schedule(solver: expected.kind, steps: 5, shift: 5)
    var solver = makeSolver(expected.kind, schedule: schedule)
    var x = Tensor.random(shape, seed: 300)
    func counted<R>(_ body: () -> R) -> (result: R, tensors: Int) {
      let count = AllocationCount()
      let result = AllocationCount.$current.withValue(count, operation: body)
      return (result, count.byteCounts.filter { $0 >= shape.count * 4 }.count)
    }
    for (step, velocity) in Self.velocities(shape, isGuided: isGuided).enumerated() {
      let (solved, made) = counted { solver.step(velocity: velocity, latents: x) }
      // UniPC's first step has nothing to correct, LCM's last step has no noise to make room for.
      let isShort = expected.kind == .unipc ? step == 0 : expected.kind == .lcm && step == 4
      #expect(made == expected.step - (isShort ? 1 : 0), "step \(step + 1)")
      let (_, read) = counted { solved.clean }
      #expect(read == expected.clean, "step \(step + 1)")
      x = solved.latents
    }
  }
}
