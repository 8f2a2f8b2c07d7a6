import ArgumentParser

/// The `wan` command.
struct WanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wan",
    abstract: "Generates video with the Wan2.2 models.",
    discussion: """
      Without --model, a small bundled model runs; published checkpoints are named by their folder:
        wan generate --prompt "A red ball bounces, sunset scene, warm tones, static camera."
        wan generate --model Wan2.2-TI2V-5B --prompt "Two cats box on a stage." --output cats.mp4
      """,
    version: SoftwareVersion.current,
    subcommands: [GenerateCommand.self, InspectCommand.self, BenchCommand.self, SynthesizeCommand.self])
}

/// What clips and reports name as their maker.
enum SoftwareVersion {
  static let current = "0.1.0"
}
