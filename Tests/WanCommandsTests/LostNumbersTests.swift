import Subprocess
import Tensors
import TestSupport
import Testing

extension WanCommandTests {
  /// What the command tells of weights that are not numbers: where that was found, and which of its options may help.
  @Suite("Runs that lose their numbers") struct LostNumbersTests {
    private func run(_ model: ModelCopy, in folder: TemporaryFolder) async throws -> CommandResult {
      let arguments = ["--model", model.path, "-p", "a", "--steps", "2", "--frames", "5", "--size", "64x32"]
      let result = try await wan(["generate"] + arguments + ["-o", "a.y4m"], in: folder)
      #expect(result.status == .exited(1), "\(result.errors)")
      return result
    }

    private static func notNumbers(_ tensor: Tensor) -> Tensor {
      Tensor(Array(repeating: .nan, count: tensor.count), shape: tensor.shape)
    }

    @Test("end after the step, with what to try, and leave nothing")
    func latents() async throws {
      let (model, folder) = (try ModelCopy(of: "ti2v"), try TemporaryFolder())
      try model.rewrite(ModelCopy.transformer) { $0.replace("head.head.bias", Self.notNumbers) }
      let result = try await run(model, in: folder)
      let told =
        "Error: step 1: 768 latent values are NaN or infinite; "
        + "try --precision f32, and check the weights with 'wan inspect'"
      #expect(result.errorLines.last.map(String.init) == told, "\(result.errors)")
      #expect(folder.contents.isEmpty, "\(folder.contents)")
    }

    @Test("end at the frame, with what to try, before the place of the latents that are kept")
    func frames() async throws {
      let (model, folder) = (try ModelCopy(of: "ti2v"), try TemporaryFolder())
      try model.rewrite(ModelCopy.autoencoder, as: "Wan2.2_VAE.safetensors") {
        $0.replace("decoder.head.2.bias", Self.notNumbers)
      }
      let result = try await run(model, in: folder)
      let told = [
        "Error: decoding, frame 1: 6144 of its 6144 numbers are NaN or infinite; "
          + "try --precision f32, and check the autoencoder's weights with 'wan inspect'",
        "the sampled latents are kept in './a.latents.safetensors'",
      ]
      #expect(result.errorLines.suffix(2).map(String.init) == told, "\(result.errors)")
      #expect(folder.contents == ["a.latents.safetensors"])
    }
  }
}
