import CPUBackend
import Foundation
import Sampling
import Tensors
import TestSupport
import Testing
import WanKit

/// Runs that lie in folders.
struct SavedRunTests {
  /// A plan, what it was made of, and a folder's name that is free.
  private struct Sample {
    let folder: TemporaryFolder
    let plan: GenerationPlan
    let record: RunRecord

    var path: String { folder.path("a.run") }

    init(_ change: (inout GenerationRequest) -> Void = { _ in }) throws {
      folder = try TemporaryFolder()
      var request = SmallRuns.request()
      change(&request)
      let model = Golden.bundledFolder + "/ti2v"
      plan = try GenerationPlan(request, model: ModelFolder(path: model), on: .reference)
      record = RunRecord(
        plan, of: request, model: (model, PartPaths()),
        output: .init(path: "clip.y4m", isChosen: false, hasMetadata: true),
        folder: folder.path, fingerprint: RunFingerprint(plan, on: .reference, version: "1"))
    }

    func state(_ value: Float = 0.5) -> RunState {
      let latents = Tensor.random(plan.latentShape, seed: UInt64(value * 10))
      return RunState(
        .init(step: 2, solver: plan.solver, seed: plan.seed, noise: plan.noise, draws: [plan.latentShape.count]),
        latents: latents, history: SolverState(index: 2, tensors: ["model.1": latents]))
    }
  }

  @Test("come back as they were saved, and are gone when they are removed")
  func roundTrip() throws {
    let sample = try Sample { $0.image = SmallRuns.image }
    var run: SavedRun? = try SavedRun.create(sample.path, sample.record)
    #expect(try run?.state() == nil && SavedRun.stepsDone(sample.path) == 0)
    try run?.write(sample.state())
    #expect(SavedRun.isBusy(sample.path))
    run = nil
    let opened = try SavedRun.open(sample.path)
    #expect(opened.record.request == sample.record.request && opened.record.id == sample.record.id)
    #expect(opened.record.fingerprint.differences(from: sample.record.fingerprint).isEmpty)
    let state = try #require(try opened.state())
    #expect(state.facts == sample.state().facts && SavedRun.stepsDone(sample.path) == 2)
    #expect(state.latents.floats() == sample.state().latents.floats())
    #expect(state.history.tensors.keys.sorted() == ["model.1"])
    try "mine".write(toFile: sample.path + "/.mine", atomically: true, encoding: .utf8)
    opened.remove()
    #expect(try sample.folder.allContents() == ["a.run", "a.run/.mine"])
  }

  @Test("belong to one program at a time, and take no folder that holds anything")
  func refusals() throws {
    let sample = try Sample()
    let run = try SavedRun.create(sample.path, sample.record)
    #expect(throws: SavedRunError.self) { try SavedRun.open(sample.path) }
    #expect(throws: SavedRunError.self) { try SavedRun.create(sample.path, sample.record) }
    #expect(throws: SavedRunError.self) { try SavedRun.check(sample.folder.path("")) }
    let hidden = try TemporaryFolder()
    try "mine".write(toFile: hidden.path(".mine"), atomically: true, encoding: .utf8)
    #expect(throws: SavedRunError.self) { try SavedRun.check(hidden.path) }
    #expect(throws: SavedRunError.self) { try SavedRun.check(sample.folder.path("none/there")) }
    #expect(throws: SavedRunError.self) { try SavedRun.record(sample.folder.path("none")) }
    let other = try SavedRun.create(sample.folder.path("b.run"), Sample().record)
    try other.write(sample.state())
    try FileManager.default.copyItem(
      atPath: other.folder + "/state.safetensors", toPath: run.folder + "/state.safetensors")
    let error = #expect(throws: SavedRunError.self) { try run.state() }
    #expect(error?.reason.contains("another run's") == true)
  }

  @Test("are refused when any byte of where they stand is another")
  func damage() throws {
    let sample = try Sample()
    let run = try SavedRun.create(sample.path, sample.record)
    try run.write(sample.state())
    let path = run.folder + "/state.safetensors"
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    for index in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 400)) {
      var damaged = bytes
      damaged[index] ^= 0x10
      try damaged.write(to: URL(fileURLWithPath: path))
      #expect(throws: SavedRunError.self, "byte \(index)") { try run.state() }
    }
    for length in [0, 1, 8, 200, bytes.count / 2, bytes.count - 1] {
      try bytes.prefix(length).write(to: URL(fileURLWithPath: path))
      #expect(throws: SavedRunError.self, "\(length) bytes") { try run.state() }
    }
    for text in ["", "{", "{}", "[1]", String(repeating: "[", count: 10_000)] {
      try text.write(toFile: run.folder + "/run.json", atomically: true, encoding: .utf8)
      #expect(throws: SavedRunError.self) { try SavedRun.record(run.folder) }
    }
  }

  @Test("tell every choice that would lead to another clip")
  func differences() throws {
    let before = try Sample().record.fingerprint
    func names(_ version: String = "1", _ change: (inout GenerationRequest) -> Void) throws -> [String] {
      let plan = try Sample(change).plan
      return RunFingerprint(plan, on: .reference, version: version).differences(from: before).compactMap {
        $0.split(separator: ":").first.map(String.init)
      }
    }
    #expect(try names { _ in }.isEmpty)
    #expect(try names("2") { _ in } == ["version"])
    #expect(try names { $0.seed = 6 } == ["seed"])
    #expect(try names { $0.prompt = "A blue ball bounces." } == ["prompt", "tokens"])
    #expect(try names { $0.precision = .bf16 } == ["precision"])
    #expect(try names { $0.steps = 4 } == ["sigmas", "steps"])
    #expect(try names { $0.image = SmallRuns.image }.contains("picture"))
    let other = RunFingerprint(try Sample().plan, on: CPUBackend(threads: 1).traits, version: "1")
    #expect(other.differences(from: before).count == 1)
  }

  @Test("that cannot be written cost one notice, and the run goes on")
  func unwritable() async throws {
    let sample = try Sample()
    let run = try SavedRun.create(sample.path, sample.record)
    let recorder = EventRecorder()
    let saver = RunSaver(run) { recorder(.notice($0)) }
    try FileManager.default.removeItem(atPath: sample.path)
    try await Engine(backend: ReferenceBackend()).run(sample.plan, observers: [saver]) { _ in }
    #expect(recorder.notices.count == 1 && recorder.notices[0].contains("the run goes on"))
    #expect(saver.last?.facts.step == 3)
  }
}
