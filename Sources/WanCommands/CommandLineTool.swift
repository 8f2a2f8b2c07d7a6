import ArgumentParser
import Files
import Foundation
import Tensors

/// `wan` as a process.
public enum CommandLineTool {
  /// Runs the command that the process's arguments name, and ends the process.
  ///
  /// Errors are told as ArgumentParser tells them, but that text which cannot be written ends nothing, and that text out
  /// of files reaches a terminal as text alone.
  public static func run() async -> Never {
    Descriptor.fillStandardStreams()
    MemoryExhaustion.install { byteCount in
      Leftovers.removeAll()
      MemoryExhaustion.report(byteCount: byteCount)
      _exit(1)
    }
    ProcessLimits.prepare()
    var configured: ConfiguredArguments?
    do {
      try ProcessLimits.command.check()
      let arguments = try ConfiguredArguments(
        Array(CommandLine.arguments.dropFirst()), environment: ProcessInfo.processInfo.environment)
      configured = arguments
      var command = try arguments.parse()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
      exit(EXIT_SUCCESS)
    } catch let error as ConfigurationError {
      Console.note("Error: \(error)")
      exit(EX_USAGE)
    } catch {
      // What a run finds wrong with its request may be a default.
      if let configured, !configured.settings.isEmpty, WanCommand.exitCode(for: error).rawValue == EX_USAGE {
        Console.note(configured.summary)
      }
      end(by: error)
    }
  }

  /// Ends the process when anything in it was refused memory, without what is unfinished; see ``MemoryExhaustion``.
  public static func memoryExhausted(byteCount: Int) -> Never {
    MemoryExhaustion.end(byteCount: byteCount)
  }

  /// Help and version are results, for standard output; everything else is told on standard error.
  private static func end(by error: any Error) -> Never {
    let code = WanCommand.exitCode(for: error)
    let text = WanCommand.fullMessage(for: error)
    guard code == .success else {
      if !text.isEmpty { Console.note(text) }
      exit(code.rawValue)
    }
    if !text.isEmpty { TextStream.output.deliver(text + "\n") }
    guard let failure = TextStream.output.failure else { exit(EXIT_SUCCESS) }
    Console.note("Error: this could not be written: \(failure)")
    exit(EXIT_FAILURE)
  }
}

/// The `wan` command.
struct WanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wan",
    abstract: "Generates video with the Wan2.2 models.",
    discussion: """
      Without --model, a small bundled model runs; published ones are downloaded first, or named by their folder:
        wan generate --prompt "A red ball bounces, sunset scene, warm tones, static camera."
        wan pull ti2v-5b
        wan generate --model ti2v-5b --prompt "Two cats box on a stage." --output cats.mp4
      """,
    version: SoftwareVersion.current,
    subcommands: [
      GenerateCommand.self, ResumeCommand.self, RunsCommand.self, ShowCommand.self, RerunCommand.self,
      CompareCommand.self, PullCommand.self, ModelsCommand.self, InspectCommand.self, ConvertCommand.self,
      PreviewFitCommand.self, BenchCommand.self,
      SynthesizeCommand.self, ConfigCommand.self,
    ])

  @OptionGroup(title: "Defaults") var defaults: ConfigurationOptions
}

/// What clips and reports name as their maker.
enum SoftwareVersion {
  static let current = "0.1.0"
}
