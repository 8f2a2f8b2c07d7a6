import Foundation
import Subprocess
import TestSupport
import Testing

extension WanCommandTests {
  @Suite("--vae tiny") struct TinyAutoencoderCommandTests {
    private let short = [
      "generate", "-p", "a red ball", "--steps", "2", "--frames", "5", "--size", "64x32", "--seed", "1", "-o", "a.mp4",
    ]

    private func made(_ name: String) async throws -> TemporaryFolder {
      let folder = try TemporaryFolder()
      let result = try await wan(["synthesize", name, name + ".safetensors"], in: folder)
      #expect(result.status.isSuccess, "\(result.errors)")
      return folder
    }

    @Test("one that lies in WAN_MODELS decodes, and plan, clip and inspect say so")
    func found() async throws {
      let folder = try await made("taew2_2")
      let environment = Environment.hermetic.updating(["WAN_MODELS": folder.url.path])
      let result = try await wan(short + ["--vae", "tiny"], in: folder, environment: environment)
      #expect(result.status.isSuccess, "\(result.errors)")
      for line in [
        "         tiny autoencoder \(folder.url.path)/taew2_2.safetensors, found by what it holds",
        "decoding by a tiny autoencoder, about ",
      ] {
        #expect(result.errorLines.contains { $0.hasPrefix(line) }, "\(line) is not in \(result.errors)")
      }
      let probe = ["-v", "error", "-show_format", "a.mp4"]
      let told = try await runCommand("ffprobe", probe.map { Array($0.utf8) }, in: folder).output
      #expect(told.contains(#""decoder":"tiny""#), "\(told)")
      let inspect = try await wan(["inspect", "taew2_2.safetensors"], in: folder)
      #expect(inspect.output.contains("tiny autoencoder, as taew2_2: 4x16x16, z 48"), "\(inspect.output)")
      #expect(inspect.outputLines.last == "  use it with: wan generate --vae taew2_2.safetensors ...")
    }

    @Test("its file is named like a VAE's; one of other latents, or none, is refused before anything runs")
    func refused() async throws {
      let folder = try await made("taew2_1")
      let wrong = try await wan(short + ["--vae", "taew2_1.safetensors"], in: folder)
      #expect(wrong.status == .exited(1), "\(wrong.errors)")
      #expect(wrong.errors.contains("is for 16 latent channels, the model has 48; take taew2_2"), "\(wrong.errors)")
      let none = try await wan(short + ["--vae", "tiny"], in: folder)
      #expect(none.status == .exited(1) && none.errors.contains("taew2_2.safetensors or .pth"), "\(none.errors)")
      #expect(folder.contents == ["taew2_1.safetensors"])
    }

    @Test("bench measures it alone")
    func bench() async throws {
      let arguments = [
        "bench", "vae", "--only", "tiny", "--latent", "1x2x2", "--repeat", "1", "--warm-up", "0", "--json",
      ]
      let report = try #require(try await wan(arguments, in: TemporaryFolder()).events().first)
      #expect((report["tiny_decode_seconds"] as? Double ?? 0) > 0 && report["decode_seconds"] == nil)
      #expect(report["vae"] as? String == "2.2" && report["tiles"] == nil)
    }

    @Test("tiles are the VAE's alone")
    func tiles() async throws {
      let folder = try await made("taew2_2")
      let result = try await wan(short + ["--vae", "taew2_2.safetensors", "--vae-tiles", "1x2"], in: folder)
      #expect(
        result.status == .exited(64) && result.errors.contains("--vae-tiles: a tiny autoencoder"), "\(result.errors)")
      #expect(folder.contents == ["taew2_2.safetensors"])
    }
  }
}
