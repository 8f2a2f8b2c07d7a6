import Sampling
import TestSupport
import Testing

@Suite("Schedules and experts")
struct ScheduleTests {
  @Test("UniPC starts at 999 and cuts timesteps to whole numbers")
  func unipcGrid() throws {
    let schedule = try Schedule(solver: .unipc, steps: 4, shift: 5)
    #expect(schedule.timesteps == [999, 937, 833, 624])
    #expect(schedule.sigmas.count == 5 && schedule.sigmas[4] == 0)
  }

  @Test("DPM++ starts at 1000, Euler keeps the fractions")
  func otherGrids() throws {
    #expect(try Schedule(solver: .dpmpp, steps: 4, shift: 5).timesteps == [1000, 937, 833, 625])
    let euler = try Schedule(solver: .euler, steps: 4, shift: 5)
    #expect(relativeError(euler.timesteps, [1000, 937.5, 833.33333, 625]) < 1e-7)
  }

  @Test("a distilled schedule is its own timesteps, warped")
  func distilled() throws {
    let direct = try Schedule(timesteps: [1000, 937.5, 833.33333, 625])
    let warped = try Schedule(timesteps: [1000, 750, 500, 250], shift: 5)
    #expect(relativeError(direct.sigmas, warped.sigmas) < 1e-7)
    #expect(relativeError(warped.timesteps, [1000, 937.5, 833.33333, 625]) < 1e-7)
  }

  @Test("FastWan is told its timesteps as they are, at the noise levels of its training next to them")
  func nearestLevels() throws {
    // The levels are FastVideo's scheduler's, asked with numpy.
    let schedule = try Schedule(timesteps: [1000, 757, 522], nearestOfShift: 8)
    #expect(schedule.timesteps == [1000, 757, 522] && schedule.noiseScale == 1)
    #expect(relativeError(schedule.sigmas, [1, 0.7567567, 0.5217391, 0]) < 1e-7)
  }

  @Test("rCM's angles are levels of the straight path, and its noise begins at the first")
  func angles() throws {
    let schedule = try Schedule(sigmaMax: 200, angles: [1.5, 1.4, 1.0])
    #expect(relativeError(schedule.timesteps, [995.02487562, 933.78106142, 852.89539482, 608.97904923]) < 1e-7)
    #expect(relativeError(schedule.sigmas, [0.99502488, 0.93378106, 0.85289539, 0.60897905, 0]) < 1e-7)
    #expect(schedule.noiseScale == schedule.sigmas[0])
    #expect(throws: SamplingError.self) { try Schedule(sigmaMax: -1, angles: []) }
    #expect(throws: SamplingError.self) { try Schedule(sigmaMax: 200, angles: [1.0, 1.4]) }
    #expect(throws: SamplingError.self) { try Schedule(sigmaMax: .nan, angles: [1.4]) }
  }

  @Test("what is no schedule is refused with its reason", arguments: SolverKind.allCases)
  func refusals(solver: SolverKind) {
    #expect(throws: SamplingError.steps(0)) { try Schedule(solver: solver, steps: 0, shift: 5) }
    #expect(throws: SamplingError.steps(-3)) { try Schedule(solver: solver, steps: -3, shift: 5) }
    #expect(throws: SamplingError.steps(.max)) { try Schedule(solver: solver, steps: .max, shift: 5) }
    #expect(throws: SamplingError.shift(0)) { try Schedule(solver: solver, steps: 4, shift: 0) }
    #expect(throws: SamplingError.shift(-1)) { try Schedule(solver: solver, steps: 4, shift: -1) }
    #expect(throws: SamplingError.shift(.infinity)) { try Schedule(solver: solver, steps: 4, shift: .infinity) }
    #expect(throws: SamplingError.self) { try Schedule(solver: solver, steps: 4, shift: .nan) }
    #expect(throws: SamplingError.indistinctSigmas(steps: 40, shift: 1e12)) {
      try Schedule(solver: solver, steps: 40, shift: 1e12)
    }
    #expect(throws: SamplingError.self) { try Schedule(solver: solver, steps: 4, shift: 1e-300) }
  }

  @Test("custom timesteps must fall, from at most 1000 to above 0")
  func customRefusals() {
    #expect(throws: SamplingError.steps(0)) { try Schedule(timesteps: []) }
    #expect(throws: SamplingError.timestep(index: 0, value: 1001)) { try Schedule(timesteps: [1001, 500]) }
    #expect(throws: SamplingError.timestep(index: 1, value: 700)) { try Schedule(timesteps: [700, 700]) }
    #expect(throws: SamplingError.timestep(index: 1, value: 0)) { try Schedule(timesteps: [700, 0]) }
    #expect(throws: SamplingError.self) { try Schedule(timesteps: [700, .nan]) }
  }

  @Test("a list of noise levels is the list of timesteps in thousandths")
  func sigmas() throws {
    let (levels, timesteps): ([Float], [Float]) = ([1, 0.75, 0.5, 0.25], [1000, 750, 500, 250])
    #expect(try Schedule(sigmas: levels) == Schedule(timesteps: timesteps))
    #expect(try Schedule(sigmas: levels, shift: 5) == Schedule(timesteps: timesteps, shift: 5))
    #expect(throws: SamplingError.steps(0)) { try Schedule(sigmas: []) }
    #expect(throws: SamplingError.sigma(index: 0, value: 1.5)) { try Schedule(sigmas: [1.5, 0.5]) }
    #expect(throws: SamplingError.sigma(index: 1, value: 0.7)) { try Schedule(sigmas: [0.7, 0.7]) }
    #expect(throws: SamplingError.sigma(index: 1, value: 0)) { try Schedule(sigmas: [0.7, 0]) }
    #expect(throws: SamplingError.self) { try Schedule(sigmas: [.nan]) }
    #expect(throws: SamplingError.shift(0)) { try Schedule(sigmas: levels, shift: 0) }
  }

  @Test("every step count up to the limit makes a schedule", arguments: SolverKind.allCases)
  func longSchedules(solver: SolverKind) throws {
    for steps in stride(from: 1, through: Schedule.largestStepCount, by: 111) {
      #expect(try Schedule(solver: solver, steps: steps, shift: 12).steps == steps)
    }
  }

  @Test("the high-noise expert runs from the boundary upwards")
  func experts() throws {
    let experts = ExpertSchedule(boundary: 0.875)
    #expect(experts.expert(at: 875) == .high)
    #expect(experts.expert(at: 874) == .low)
    #expect(ExpertSchedule(boundary: 0.9).expert(at: 900) == .high)
    #expect(experts.experts(at: [1000, 800, 500], switchStep: 2) == [.high, .high, .low])
    #expect(ExpertSchedule(boundary: nil).experts(at: [1000, 800], switchStep: 1) == [.only, .only])
  }

  @Test("the experts of every recorded run", arguments: try Golden.names(in: "runs", type: "json"))
  func recordedExperts(run: String) throws {
    struct Run: Decodable {
      let steps: Int
      let shift: Double
      let solver: String
      let boundary: Double?
      let experts: [String]
    }
    let recorded = try Golden.json("runs/\(run).json", as: Run.self)
    guard let boundary = recorded.boundary else { return }
    let solver = try #require(SolverKind(rawValue: recorded.solver))
    let schedule = try Schedule(solver: solver, steps: recorded.steps, shift: recorded.shift)
    let experts = ExpertSchedule(boundary: boundary).experts(at: schedule.timesteps)
    #expect(experts.map(\.rawValue) == recorded.experts)
  }
}
