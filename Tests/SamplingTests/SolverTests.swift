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
    let velocity = zip(noise.floats(), clean.floats()).map { $0 - $1 }
    for steps in [1, 2, 3, 7] {
      let schedule = try Schedule(solver: kind, steps: steps, shift: 3)
      let sigma = schedule.sigmas[0]
      var x = Tensor((0..<3).map { clean.floats()[$0] + sigma * velocity[$0] }, shape: [3])
      var solver = makeSolver(kind, schedule: schedule)
      for _ in 0..<steps { x = solver.step(velocity: Velocity(Tensor(velocity, shape: [3])), latents: x).latents }
      #expect(relativeError(x, clean) < 1e-5)
      #expect(solver.index == steps)
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

  @Test("a solver that is made of its state goes on bit for bit", arguments: SolverKind.allCases)
  func state(kind: SolverKind) throws {
    let schedule = try Schedule(solver: kind, steps: 5, shift: 5)
    let velocities = (0..<5).map { step in
      Velocity(conditional: .random([7], seed: UInt64(step)), unconditional: .random([7], seed: 99), scale: 4)
    }
    var solver = makeSolver(kind, schedule: schedule)
    var x = Tensor.random([7], seed: 1)
    for velocity in velocities {
      var other = try makeSolver(kind, schedule: schedule, state: solver.state)
      let (a, b) = (solver.step(velocity: velocity, latents: x), other.step(velocity: velocity, latents: x))
      #expect(a.latents.floats() == b.latents.floats() && a.clean.floats() == b.clean.floats())
      x = a.latents
    }
    #expect(solver.state.index == 5)
    #expect(throws: SamplingError.self) {
      try makeSolver(kind, schedule: schedule, state: SolverState(index: 6, tensors: solver.state.tensors))
    }
    #expect(throws: SamplingError.self) {
      try makeSolver(kind, schedule: schedule, state: SolverState(index: 2, tensors: ["stray": x]))
    }
  }

  @Test(
    "a guided step makes so many tensors and no more",
    arguments: [(SolverKind.unipc, 3), (.dpmpp, 2), (.euler, 1)])
  func allocations(kind: SolverKind, most: Int) throws {
    let shape: Shape = [16, 21, 8, 8]
    let schedule = try Schedule(solver: kind, steps: 6, shift: 5)
    let velocity = Velocity(
      conditional: .random(shape, seed: 1), unconditional: .random(shape, seed: 2), scale: 4)
    var solver = makeSolver(kind, schedule: schedule)
    var x = Tensor.random(shape, seed: 3)
    for step in 0..<schedule.steps {
      let count = AllocationCount()
      AllocationCount.$current.withValue(count) { x = solver.step(velocity: velocity, latents: x).latents }
      let tensors = count.byteCounts.filter { $0 >= x.byteCount }
      #expect(tensors.count <= most, "step \(step + 1) made \(tensors.count)")
    }
  }
}
