import ArgumentParser
import Foundation
import Media

/// Where the clip goes and what is told about it.
struct OutputOptions: ParsableArguments {
  @Option(
    name: .shortAndLong, help: "The clip: .mp4 .webm .gif .png or .y4m; clip.mp4, or the next free name, unless given.")
  var output: String?

  @Option(help: "Also write the run's tensors to this .safetensors file.")
  var saveTensors: String?

  @Flag(help: "Leave prompt and settings out of the clip's metadata.")
  var noMetadata = false

  @Flag(help: "One JSON object per event on standard output.")
  var json = false

  @Flag(name: .shortAndLong, help: "Say nothing but errors.")
  var quiet = false

  /// The clip's path: as asked for, or the first of clip.mp4, clip-2.mp4, ... that is free.
  var path: String {
    if let output { return output }
    let names = ["clip.mp4"] + (2...9999).map { "clip-\($0).mp4" }
    return names.first { !FileManager.default.fileExists(atPath: $0) } ?? "clip.mp4"
  }

  /// ffmpeg, unless the format does without.
  func encoder(for path: String) throws -> FFmpeg? {
    try ClipFormat(path: path).needsFFmpeg ? .fromEnvironment() : nil
  }

  /// Checks what would otherwise fail after the run.
  func checkTensorFile() throws {
    guard let saveTensors else { return }
    let folder = URL(fileURLWithPath: saveTensors).deletingLastPathComponent().path
    guard saveTensors.hasSuffix(".safetensors") else {
      throw CommandError("--save-tensors \(saveTensors): the name must end in .safetensors")
    }
    guard FileManager.default.fileExists(atPath: folder) else {
      throw CommandError("--save-tensors \(saveTensors): there is no folder '\(folder)': create it first")
    }
    guard FileManager.default.isWritableFile(atPath: folder) else {
      throw CommandError(
        "--save-tensors \(saveTensors): the folder '\(folder)' cannot be written to; check its permissions")
    }
  }
}

extension FFmpeg {
  /// The ffmpeg that the environment's PATH finds.
  static func fromEnvironment() throws(MediaError) -> FFmpeg {
    try .locate(searchPath: ProcessInfo.processInfo.environment["PATH"])
  }
}

/// A failure with nothing more to say than its text.
struct CommandError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}
