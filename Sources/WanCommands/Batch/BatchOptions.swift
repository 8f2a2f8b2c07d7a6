import ArgumentParser
import Files
import Foundation
import WanKit

/// Many clips in one start.
struct BatchOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Make a clip for each line of a file: a prompt, or where the lines are JSON, a request with fields of its own. "
        + "--output names a folder then, clips/ unless given.", valueName: "FILE"), completion: .file(),
    transform: PathArgument.path)
  var prompts: String?
}

extension GenerateCommand {
  /// Where the requests of many clips come from; `nil` for one clip.
  var batchSource: BatchSource? {
    if let prompts = batch.prompts { return .file(prompts) }
    guard let image = clip.image, image != "-", FileStatus(path: image)?.kind == .folder else { return nil }
    return .pictures(image)
  }

  /// Refuses what goes with one clip alone.
  ///
  /// - Throws: `ValidationError`.
  func checkBatch(_ source: BatchSource) throws {
    if case .file = source, let image = clip.image, FileStatus(path: image)?.kind == .folder {
      throw ValidationError(
        "--image \(image) is a folder, a clip for each picture, and --prompts a clip for each line: give one of them, or "
          + "name the pictures in JSON lines")
    }
    let refused: [(Bool, String)] = [
      (
        saving.saveRun != nil,
        "--save-run keeps one run; with many clips the same command goes on with those that are left"
      ),
      (output.saveTensors != nil, "--save-tensors writes the tensors of one run; make that clip alone"),
      (output.output == "-", "--output - writes one clip; name a folder for many, as clips/"),
      (extending.extendPrompt != nil, "--extend-prompt writes out one prompt; give written ones in the lines"),
    ]
    for (isGiven, reason) in refused where isGiven { throw ValidationError(reason) }
  }

  /// What the options ask for, without a picture of its own for each clip.
  func sharedRequest(_ source: BatchSource, for model: ModelFolder) async throws -> GenerationRequest {
    guard case .pictures = source else { return try await request(for: model) }
    var command = self
    command.clip.image = nil
    return try await command.request(for: model)
  }
}
