import ArgumentParser
import Foundation
import Media
import Tensors
import WanKit

/// `wan show`: what a clip tells of its own making.
struct ShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Tells how a clip was made, from what it says in its comment.",
    discussion: "Reads .mp4, .webm, .gif and .png that wan has made without --no-metadata; a .y4m keeps nothing.")

  @Argument(
    help: ArgumentHelp("The clip, or a picture of a set.", valueName: "file"), completion: .file(),
    transform: PathArgument.path)
  var file: String

  @Flag(help: "The recipe as one JSON object.")
  var json = false

  func run() async throws {
    let path = file
    let comment = try await interruptible { try await readComment(path: path, ffmpeg: .fromEnvironment()) }
    guard let comment else {
      throw CommandError("\(file): tells nothing of its making; was it made with --no-metadata, or by another program?")
    }
    let recipe = try ClipRecipe(comment, of: file)
    if json { Console.json(recipe) } else { for line in recipe.lines { Console.out(line) } }
    try Console.requireOutput()
  }
}

/// What a clip's comment tells.
struct ClipRecipe: Codable {
  let clip: ClipDescription
  /// The program that made it, and its version.
  let software: String?

  private enum CodingKeys: String, CodingKey { case software }

  init(from decoder: any Decoder) throws {
    clip = try ClipDescription(from: decoder)
    software = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(String.self, forKey: .software)
  }

  func encode(to encoder: any Encoder) throws {
    try clip.encode(to: encoder)
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encodeIfPresent(software, forKey: .software)
  }

  /// - Throws: `CommandError` for a comment that is no recipe.
  init(_ comment: String, of file: String) throws {
    do { self = try JSONDecoder().decode(ClipRecipe.self, from: Data(comment.utf8)) } catch {
      let start = comment.prefix(80).replacing("\n", with: " ")
      throw CommandError("\(file): its comment is no recipe of wan's: \"\(start)\"")
    }
  }

  /// The recipe for people.
  var lines: [String] {
    var lines = ["model    \(clip.model)"] + clip.promptLines
    if clip.negativePrompt == PublishedPrompts.none {
      lines.append("without  no words")
    } else if clip.negativePrompt != PublishedPrompts.negative {
      lines.append("without  \(clip.negativePrompt)")
    }
    if clip.fromImage { lines.append("image    was given") }
    if clip.toImage == true { lines.append("ending   with a picture that was given") }
    if let known = clip.knownFrames {
      lines.append("after    \(Format.count(known, "frame")) of another clip, which are not in this one")
    }
    lines += clip.lines()
    if clip.decoder == .tiny { lines.append("decoding by a tiny autoencoder") }
    return lines + ["engine   \(clip.precision.rawValue)"] + (software.map { ["made by  \($0)"] } ?? [])
  }
}
