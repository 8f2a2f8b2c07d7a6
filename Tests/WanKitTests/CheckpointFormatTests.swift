import Tensors
import TestSupport
import Testing
import WanKit

/// One model in other files gives the same clip.
struct CheckpointFormatTests {
  private func bits(_ copy: ModelCopy) async throws -> [UInt32] {
    try await SmallRuns.trace(ModelFolder(path: copy.path), SmallRuns.request(steps: 2)).bits()
  }

  @Test("autoencoder and text encoder may come as safetensors")
  func safetensors() async throws {
    let copy = try ModelCopy(of: "ti2v")
    let expected = try await bits(copy)
    try copy.rewrite("Wan2.2_VAE.pth", as: "Wan2.2_VAE.safetensors")
    try copy.rewrite(ModelCopy.textEncoder, as: "models_t5_umt5-xxl-enc-bf16.safetensors")
    #expect(try await bits(copy) == expected)
    try copy.shard("Wan2.2_VAE.safetensors", byteCount: 1 << 20)
    #expect(try await bits(copy) == expected)
  }

  @Test("a transformer may come in shards")
  func shards() async throws {
    let copy = try ModelCopy(of: "ti2v")
    let expected = try await bits(copy)
    try copy.shard(ModelCopy.transformer, byteCount: 300_000)
    #expect(try copy.folder.allContents().filter { $0.contains("-of-") }.count > 3)
    #expect(try await bits(copy) == expected)
  }

  @Test("experts may come in shards")
  func expertShards() async throws {
    let copy = try ModelCopy(of: "t2v")
    let expected = try await bits(copy)
    for expert in ["high_noise_model/", "low_noise_model/"] {
      try copy.shard(expert + ModelCopy.transformer, byteCount: 200_000)
    }
    #expect(try await bits(copy) == expected)
  }

  @Test("float64 weights are those of float32")
  func float64() async throws {
    let copy = try ModelCopy(of: "t2v")
    let expected = try await bits(copy)
    for file in ["high_noise_model/" + ModelCopy.transformer, "low_noise_model/" + ModelCopy.transformer] {
      try copy.rewrite(file) { tensors in
        for i in tensors.indices { tensors[i].tensor = Self.float64(tensors[i].tensor) }
      }
    }
    #expect(try await bits(copy) == expected)
  }

  @Test("float16 weights are what they round to")
  func float16() async throws {
    let copy = try ModelCopy(of: "t2v")
    let files = ["high_noise_model/" + ModelCopy.transformer, "low_noise_model/" + ModelCopy.transformer]
    for file in files {
      try copy.rewrite(file) { tensors in
        for i in tensors.indices { tensors[i].tensor = Self.float16(tensors[i].tensor) }
      }
    }
    let halves = try await bits(copy)
    for file in files {
      try copy.rewrite(file) { tensors in
        for i in tensors.indices { tensors[i].tensor = tensors[i].tensor.converted(to: .f32) }
      }
    }
    #expect(try await bits(copy) == halves)
  }

  private static func float64(_ tensor: Tensor) -> Tensor {
    let values = tensor.floats()
    return Tensor.filled(shape: tensor.shape, dtype: .f64, as: Double.self) { span in
      for i in values.indices { span[i] = Double(values[i]) }
    }
  }

  private static func float16(_ tensor: Tensor) -> Tensor {
    let values = tensor.floats()
    return Tensor.filled(shape: tensor.shape, dtype: .f16, as: UInt16.self) { span in
      for i in values.indices { span[i] = Float16(values[i]).bitPattern }
    }
  }
}
