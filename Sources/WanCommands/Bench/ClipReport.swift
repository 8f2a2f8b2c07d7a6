import CPUBackend
import Foundation
import Tensors
import WanKit
import WanModels

/// The stages of a clip, and how near they are to what the processor can do.
struct ClipReport: Encodable {
  /// A part of the way to a clip.
  struct Stage: Encodable {
    let name: String
    let seconds: Double
    /// What its multiplications take at least; `nil` where they are not counted.
    let leastSeconds: Double?
    /// Its part of the whole clip's time.
    var share = 0.0

    enum CodingKeys: String, CodingKey {
      case name, seconds, share
      case leastSeconds = "least_seconds"
    }

    init(_ name: String, _ seconds: Double, least: Double?) {
      (self.name, self.seconds) = (name, seconds)
      leastSeconds = least.flatMap { $0 > 0 ? $0 : nil }
    }
  }

  let part = "clip"
  let model, size: String
  let frames, steps, tokens: Int
  /// Layers of the transformer that ran; the model's depth is told from them.
  let layers: Int
  let dtype: String
  let seconds: Double
  /// The least that the counted multiplications take; stages without a figure add nothing.
  let leastSeconds: Double?
  /// `seconds` over `leastSeconds`.
  let factor: Double?
  let stages: [Stage]
  let threads: Int
  let backend: String
  let peakRSSGiB: Double

  enum CodingKeys: String, CodingKey {
    case part, model, size, frames, steps, tokens, layers, dtype, seconds, factor, stages, threads, backend
    case leastSeconds = "least_seconds"
    case peakRSSGiB = "peak_rss_gib"
  }

  init(_ stages: [Stage], of course: ClipCourse, name: String, options: BenchOptions) {
    let total = stages.reduce(0) { $0 + $1.seconds }
    let least = stages.reduce(0) { $0 + ($1.leastSeconds ?? 0) }
    model = name
    size = course.size.description
    (frames, steps, tokens) = (course.frames, course.steps, course.tokens)
    layers = course.layers ?? course.model.transformer.layers
    dtype = course.precision.rawValue
    seconds = total
    leastSeconds = least > 0 ? least : nil
    factor = least > 0 ? total / least : nil
    self.stages = stages.map { stage in
      var stage = stage
      stage.share = stage.seconds / total
      return stage
    }
    threads = options.engine.threads ?? ProcessInfo.processInfo.activeProcessorCount
    backend = course.backend.name
    peakRSSGiB = BenchReport.gibibytes(CPUBackend.peakMemory())
  }

  /// - Throws: status 1 when it could not be written.
  func show(_ options: BenchOptions) throws {
    if options.json { Console.json(self) } else { showLines() }
    try Console.requireOutput()
  }

  private func showLines() {
    let clip = "\(frames) frames of \(size), \(steps) steps of \(tokens) tokens, \(layers) layers ran"
    Console.out("clip \(model), \(clip), \(dtype), \(backend)")
    for stage in stages {
      let least = stage.leastSeconds.map { ", at least \(Format.fixed($0, 1)) s" } ?? ""
      Console.out(
        "  \(stage.name): \(Format.fixed(stage.seconds, 1)) s, \(Format.fixed(stage.share * 100, 1)) %\(least)")
    }
    Console.out("  whole clip: \(Format.fixed(seconds, 1)) s")
    if let leastSeconds, let factor {
      Console.out("  its limit: \(Format.fixed(leastSeconds, 1)) s; factor \(Format.fixed(factor, 2))")
    }
    Console.out("  peak memory: \(peakRSSGiB) GiB")
  }
}
