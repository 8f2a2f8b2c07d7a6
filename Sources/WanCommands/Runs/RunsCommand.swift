import ArgumentParser
import Files
import Foundation
import WanKit

/// `wan runs`: what can be gone on with.
struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs",
    abstract: "Lists saved runs, or removes one.",
    discussion: "Saved runs are looked for among the folders in those that are named, or in the working folder.")

  @Argument(
    help: ArgumentHelp("Folders that saved runs lie in, or saved runs themselves.", valueName: "DIR"),
    completion: .directory, transform: PathArgument.path)
  var folders: [String] = []

  @Option(
    help: ArgumentHelp("Remove this saved run.", valueName: "DIR"), completion: .directory,
    transform: PathArgument.path)
  var remove: String?

  @Flag(help: "One JSON object.")
  var json = false

  func validate() throws {
    guard remove == nil || folders.isEmpty && !json else {
      throw ValidationError("--remove has no list; leave out folders and --json")
    }
  }

  func run() throws {
    if let remove {
      let run = try SavedRun.open(remove)
      run.remove()
      Console.out("removed the saved run '\(remove)'")
    } else {
      for folder in folders where FileStatus(path: folder)?.kind != .folder {
        throw CommandError("there is no folder '\(folder)'")
      }
      let report = RunsReport(folders.isEmpty ? ["."] : folders)
      if json { Console.json(report) } else { for line in report.lines { Console.out(line) } }
    }
    try Console.requireOutput()
  }
}

/// The saved runs of some folders.
struct RunsReport: Encodable {
  let runs: [Entry]

  /// One of them.
  struct Entry: Encodable {
    let folder: String
    /// The clip, as it was named, and the folder that the run was started in.
    let output, startedIn: String?
    /// In ISO 8601.
    let started: String?
    let prompt: String?
    /// Steps taken, and all.
    let step, steps: Int
    /// On the disk.
    let bytes: Int
    /// Whether another program carries it out now.
    let isRunning: Bool
    /// Why it cannot be read.
    let problem: String?
  }

  /// - Parameter folders: saved runs, or folders of them.
  init(_ folders: [String]) {
    let places = folders.flatMap { folder in
      Self.isRun(folder) ? [folder] : Self.children(of: folder).filter(Self.isRun)
    }
    runs = places.map(Entry.init)
  }

  private static func isRun(_ folder: String) -> Bool {
    FileStatus(path: Paths.join(folder, SavedRun.recordName)) != nil
      && FileStatus(path: folder)?.kind == .folder
  }

  private static func children(of folder: String) -> [String] {
    let names = ((try? FolderNames(path: folder))?.names ?? []).filter { !$0.hasPrefix(".") }.sorted()
    return names.map { folder == "." ? $0 : Paths.join(folder, $0) }
  }

  /// For people.
  var lines: [String] {
    runs.isEmpty ? ["no saved runs here; wan generate --save-run DIR makes one"] : runs.map(\.line)
  }
}

extension RunsReport.Entry {
  init(_ folder: String) {
    self.folder = folder
    (bytes, isRunning) = (SavedRun.byteCount(folder), SavedRun.isBusy(folder))
    do {
      let record = try SavedRun.record(folder)
      (output, startedIn, started) = (record.output.path, record.folder, record.started.ISO8601Format())
      (prompt, step, steps, problem) = (record.request.prompt, SavedRun.stepsDone(folder), record.steps, nil)
    } catch {
      (output, startedIn, started, prompt, step, steps) = (nil, nil, nil, nil, 0, 0)
      problem = error.reason
    }
  }

  fileprivate var line: String {
    let size = Format.gibibytes(bytes)
    if let problem { return "\(folder): \(size), \(problem)" }
    let state = isRunning ? ", is running" : step == steps ? ", decoding is left" : ""
    let prompt = prompt ?? ""
    let words = prompt.count > 50 ? "\(prompt.prefix(47))..." : prompt
    return "\(folder): step \(step) of \(steps)\(state), \(size), to \(output ?? ""), \"\(words)\""
  }
}
