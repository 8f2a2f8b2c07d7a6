import ArgumentParser
import Files
import Foundation
import Media
import Sampling
import Tensors
import WanKit

/// `wan resume`: goes on with a saved run.
struct ResumeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume",
    abstract: "Goes on with a run that --save-run saved, to the clip that it would have made.",
    discussion: """
      The run goes on in the folder that it was started in, with its prompt, picture, seed and options. A model, an option \
      or a version that would change the clip is refused with what differs. Threads and memory may be others.
      """)

  @Argument(
    help: ArgumentHelp("The folder of the run.", valueName: "DIR"), completion: .directory, transform: PathArgument.path
  )
  var folder: String

  @Option(
    name: .shortAndLong, help: "Another name for the clip.", completion: .file(), transform: PathArgument.path)
  var output: String?

  @Option(
    help: "Keep encoded prompts in this folder and take them from there when asked for again.",
    completion: .directory, transform: PathArgument.path)
  var promptCache: String?

  @OptionGroup var report: ReportOptions
  @OptionGroup var keeping: KeepingOptions
  @OptionGroup(title: "Preview") var preview: PreviewOptions
  @OptionGroup var hardware: HardwareOptions
  @OptionGroup var memory: MemoryOptions
  @OptionGroup var quantized: Int8CacheOptions

  func run() async throws {
    try await ClipRun.guarded { try await resume() }
  }

  private func resume() async throws {
    let here = FileManager.default.currentDirectoryPath
    let saved = try SavedRun.open(Self.absolute(folder, in: here))
    let record = saved.record
    let (output, prompts) = (
      self.output.map { Self.absolute($0, in: here) }, promptCache.map { Self.absolute($0, in: here) }
    )
    let previewTarget = try preview.target(report, in: here)
    let state = try saved.state()
    guard FileManager.default.changeCurrentDirectoryPath(record.folder) else {
      throw SavedRunError(folder, "was started in '\(record.folder)', which is not there any more")
    }
    let places = try places(record, named: output)
    let ffmpeg: FFmpeg? = places.clip.needsFFmpeg ? try .fromEnvironment() : nil
    if ffmpeg != nil { try ProcessLimits.encoder.check() }
    let backend = try hardware.makeBackend()
    let plan = try GenerationPlan(
      record.request, model: ModelOptions.open(record.model, record.parts), on: backend.traits,
      memory: memory.limit(isForced: report.force))
    try check(plan, record, on: backend.traits)
    try places.check(plan, inputs: plan.model.checkpointFiles)
    let previews = try PreviewRun(preview, previewTarget, of: plan.model, in: here)
    try previews?.check(places, plan, inputs: plan.model.checkpointFiles)
    if !report.force { try plan.checkMemory(on: backend.traits) }
    let cache =
      quantized.int8Cache == "auto" || quantized.int8Cache == "off"
      ? quantized.cache : QuantizedWeightCache(.folder(Self.absolute(quantized.int8Cache, in: here)))
    let engine = Engine(
      backend: backend, promptCache: prompts.map(PromptCache.init), int8Cache: plan.precision == .int8 ? cache : nil)
    let run = ClipRun(
      plan: plan, backend: backend, engine: engine, places: places, ffmpeg: ffmpeg, record: record, saved: saved,
      keeping: keeping, preview: previews)
    try await run.carryOut(from: state, report.reporter)
  }

  /// The clip's own name; one that was free when it was chosen, and is taken now, gives way to the next.
  private func places(_ record: RunRecord, named output: String?) throws -> OutputPlaces {
    let isChosen = output == nil && record.output.isChosen
    let reservation = isChosen ? try NameReservation.first(of: [record.output.path]) ?? OutputOptions.reserve() : nil
    let clip = try ClipTarget(path: output ?? reservation?.path ?? record.output.path)
    try clip.probe()
    return OutputPlaces(clip: clip, reservation: reservation, tensors: nil)
  }

  private func check(_ plan: GenerationPlan, _ record: RunRecord, on traits: BackendTraits) throws {
    let fingerprint = RunFingerprint(plan, on: traits, version: SoftwareVersion.current)
    let differences = fingerprint.differences(from: record.fingerprint)
    guard differences.isEmpty else {
      throw SavedRunError(
        folder, "would go on to another clip, since these differ:\n  " + differences.joined(separator: "\n  "))
    }
  }

  private static func absolute(_ path: String, in folder: String) -> String {
    path.utf8.first == UInt8(ascii: "/") ? path : Paths.join(folder, path)
  }
}
