import ArgumentParser
import Files
import Foundation
import Media

/// `wan compare`: how far two clips are from each other.
struct CompareCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Measures how alike two clips are: PSNR, SSIM, and VMAF where ffmpeg has it.",
    discussion: """
      A clip is a film (.mp4, .webm, .gif, .y4m and others), a folder of pictures, a numbered set (clip.png for \
      clip-0001.png and so on, or frames/%04d.png), or one picture. Both must be of one size, rate and length. PSNR is over \
      red, green and blue together; SSIM is that of Wang et al. 2004 on luma; VMAF takes the first clip for the reference.
      """)

  @Argument(
    help: ArgumentHelp("The clip that the other is measured against.", valueName: "clip"), completion: .file(),
    transform: PathArgument.path)
  var reference: String

  @Argument(
    help: ArgumentHelp("The other clip.", valueName: "other"), completion: .file(), transform: PathArgument.path)
  var other: String

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Compare this many frames from the start of each; clips may then differ in length.", valueName: "n"))
  var frames: Int?

  @Option(
    help: ArgumentHelp("Draw the measures of every frame into this .svg file.", valueName: "file"), completion: .file(),
    transform: PathArgument.path)
  var plot: String?

  @Option(
    help: ArgumentHelp(
      "Write a clip of both, side by side, and of what differs, ten times as strong: .mp4 .webm .gif .png or .y4m.",
      valueName: "file"), completion: .file(), transform: PathArgument.path)
  var sideBySide: String?

  @Flag(help: "One JSON object, with every frame's measures.")
  var json = false

  func validate() throws {
    if let frames, frames < 1 { throw ValidationError("--frames \(frames) is not 1 or more") }
    if let plot, !plot.lowercased().hasSuffix(".svg") {
      throw ValidationError("--plot \(plot): the name must end in .svg")
    }
  }

  func run() async throws {
    let report = try await interruptible { try await compare() }
    if json { Console.json(report) } else { for line in report.lines { Console.out(line) } }
    try Console.requireOutput()
  }

  private func compare() async throws -> ComparisonReport {
    let ffmpeg = try FFmpeg.fromEnvironment()
    let plotTarget = try plot.map { try OutputTarget($0) }
    try plotTarget?.check()
    let comparison = try await ClipComparison(reference, other, ffmpeg: ffmpeg, frames: frames)
    let vmaf = try await Self.vmaf(comparison, ffmpeg)
    let beside = try await writer(comparison, ffmpeg)
    let similarity = try await comparison.run { one, other in
      try await vmaf?.take(reference: one, changed: other)
      try await beside?.write(RGBImage(row: [one, other, one.difference(from: other, gain: Self.gain)]))
    }
    let values = try await vmaf?.finish()
    for notice in try await beside?.finish() ?? [] { Console.note(notice) }
    let report = ComparisonReport(comparison, similarity, vmaf: values, of: (reference, other))
    if let plot { try ComparisonPlot(report).write(to: plot) }
    return report
  }

  private static let gain = 10

  private static func vmaf(_ comparison: ClipComparison, _ ffmpeg: FFmpeg) async throws -> VMAFMeasure? {
    guard try await VMAFMeasure.isAvailable(in: ffmpeg) else { return nil }
    return try VMAFMeasure(width: comparison.width, height: comparison.height, ffmpeg: ffmpeg)
  }

  private func writer(_ comparison: ClipComparison, _ ffmpeg: FFmpeg) async throws -> ClipWriter? {
    guard let sideBySide else { return nil }
    guard let count = comparison.frameCount else {
      throw CommandError("--side-by-side \(sideBySide): the clips do not tell how long they are; give --frames")
    }
    let target = try ClipTarget(path: sideBySide)
    try target.check(frameCount: count, frameRate: comparison.frameRate)
    let inputs = [reference, other].compactMap { FileStatus(path: $0) }
    for path in target.paths(frameCount: count) + target.removedPaths(frameCount: count) {
      guard let status = FileStatus(path: path), inputs.contains(where: status.isSame) else { continue }
      throw CommandError("'\(path)' is one of the clips that are compared, and would be replaced; name another output")
    }
    let settings = try ClipSettings(
      width: 3 * comparison.width, height: comparison.height, frameRate: comparison.frameRate, frameCount: count)
    return try await ClipWriter(to: target, settings: settings, ffmpeg: ffmpeg)
  }
}
