import ArgumentParser
import Files
import Foundation
import Media
import Tensors
import WanKit

/// What is shown of a run while it goes.
struct PreviewOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "After each step, a picture of what it will be: a .png sheet of all latent frames, a .gif or .mp4 at the clip's "
        + "speed, or terminal for kitty, iTerm2 and sixel pictures (terminal=kitty, =iterm2 or =sixel to say which).",
      valueName: "FILE|terminal"), completion: .file(), transform: PreviewTarget.Argument.init)
  var preview: PreviewTarget.Argument?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Preview every n steps, and the last one.", valueName: "n"))
  var previewEvery: Int?

  @Option(
    help: ArgumentHelp(
      "Make previews with a tiny autoencoder's file (taew2_1, taew2_2), or with the one that tiny finds as --vae tiny "
        + "does; one that decodes makes them in any case.", valueName: "tiny|FILE"), completion: .file(),
    transform: ModelOptions.VAEArgument.init)
  var previewVae: ModelOptions.VAEArgument?

  func validate() throws {
    guard preview != nil || previewEvery == nil && previewVae == nil else {
      throw ValidationError("--preview-every and --preview-vae go with --preview")
    }
    if let previewEvery, !(1...1000).contains(previewEvery) {
      throw ValidationError("--preview-every \(previewEvery) is not from 1 to 1000 steps")
    }
  }

  /// Where previews go, looked at before there is a plan; `nil` where none were asked for.
  ///
  /// - Parameters:
  ///   - report: how the run is told of: what is quiet shows nothing on the terminal.
  ///   - folder: what relative names lie in, where that is not the working folder.
  func target(_ report: ReportOptions, in folder: String? = nil) throws -> PreviewTarget? {
    guard let preview else { return nil }
    switch preview {
    case .terminal(let protocolName):
      guard !report.quiet else {
        throw CommandError("--preview terminal shows pictures, and --quiet nothing; give one")
      }
      return .terminal(try TerminalPictures(named: protocolName))
    case .file(let name): return .file(try PreviewPlace(Self.path(name, in: folder)))
    }
  }

  /// What makes the pictures, looked for before anything runs.
  ///
  /// - Parameter folder: what relative names lie in, where that is not the working folder.
  func choice(_ model: ModelFolder, in folder: String? = nil) throws -> PreviewChoice {
    do throws(ModelError) {
      switch previewVae {
      case nil: return try PreviewChoice(model)
      case .tiny: return try PreviewChoice(model, tiny: .found)
      case .file(let name): return try PreviewChoice(model, tiny: .file(Self.path(name, in: folder)))
      }
    } catch {
      throw CommandError("\(previewVae == nil ? "--preview" : "--preview-vae"): \(error)")
    }
  }

  private static func path(_ name: String, in folder: String?) -> String {
    guard let folder, name.utf8.first != UInt8(ascii: "/") else { return name }
    return Paths.join(folder, name)
  }
}

/// Where previews go.
enum PreviewTarget: Sendable {
  case file(PreviewPlace)
  case terminal(TerminalPictures)

  /// As it stands on the command line.
  enum Argument: Sendable {
    case file(String)
    /// The protocol, where it is named.
    case terminal(TerminalPictures.Kind?)

    init(_ argument: String) throws {
      if argument == "terminal" {
        self = .terminal(nil)
      } else if argument.hasPrefix("terminal=") {
        let name = argument.dropFirst("terminal=".count)
        guard let kind = TerminalPictures.Kind(rawValue: String(name)) else {
          let known = TerminalPictures.Kind.allCases.map(\.rawValue).joined(separator: ", ")
          throw ValidationError("'\(name)' is no kind of terminal pictures; known are \(known)")
        }
        self = .terminal(kind)
      } else {
        self = .file(try PathArgument.path(argument))
      }
    }
  }

  /// For the plan.
  var name: String {
    switch self {
    case .file(let place): place.target.given
    case .terminal(let pictures): "terminal (\(pictures.kind.rawValue))"
    }
  }
}

/// A file that is replaced by each preview.
struct PreviewPlace: Sendable {
  /// The kinds of files that are written.
  enum Format: String, Sendable, CaseIterable {
    case png, gif, mp4
  }

  let target: OutputTarget
  let format: Format

  /// - Throws: `CommandError` for a name of another kind, and a place that takes no file.
  init(_ path: String) throws {
    let known = Format.allCases.map { "." + $0.rawValue }.joined(separator: " ")
    guard let clip = try? ClipFormat(path: path), let format = Format(rawValue: clip.rawValue) else {
      throw CommandError("--preview \(path): the name must end in one of \(known), or be 'terminal'")
    }
    do {
      (target, self.format) = (try OutputTarget(path), format)
      try target.check()
      // What the system's own folders refuse shows only when something is made there.
      try ClipTarget(path: path).probe()
    } catch {
      throw CommandError("--preview \(path): \(error)")
    }
  }

  var needsFFmpeg: Bool { format != .png }

  /// Keeps it from the run's other files.
  ///
  /// - Parameter inputs: the picture and the checkpoints.
  func check(_ places: OutputPlaces, _ plan: GenerationPlan, inputs: [String]) throws {
    let clips = places.clip.paths(frameCount: plan.frames) + places.clip.removedPaths(frameCount: plan.frames)
    for output in clips + [places.tensors?.path].compactMap({ $0 }) where places.isSame(output, target.path) {
      throw CommandError("--preview \(target.given) is '\(output)', which this run writes itself; name another")
    }
    if let input = inputs.first(where: { places.isSame($0, target.path) }) {
      throw CommandError(
        "--preview \(target.given) is read by this run ('\(input)') and would be replaced; name another")
    }
  }
}
