import CPUBackend
import Foundation
import Layers
import Sampling
import Tensors
import TestSupport
import Testing
import WanModels

@testable import WanKit

/// LoRAs of every dialect over the golden pair, against what their trainers' own code computes; float32.
struct AdapterParityTests {
  struct Listing: Decodable {
    let same, diff: [Entry]
    let other: [Entry]
    let refused: [String: String]

    struct Entry: Decodable {
      let file: String?
      let expert: String?
      let expected: String?
    }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let file: String
    let expert: Expert
    let expected: String
    let strength: Float
    var output: String { "\(expected).out_\(expert == .high ? "high_977" : "low_313").strength_\(strength)" }
    var testDescription: String { "\(file) \(expert.rawValue) \(strength)" }
  }

  static let folder = Golden.folder() + "/formats/lora/"
  static let listing = try? Golden.json("formats/lora/expected.json", as: Listing.self)

  static let cases: [Case] = {
    guard let listing, let golden = try? Golden.tensors("formats/lora/expected.safetensors") else { return [] }
    let groups =
      listing.same.map { ($0, "same") } + listing.diff.map { ($0, "diff") }
      + listing.other.map { ($0, $0.expected ?? "") }
    return groups.flatMap { entry, group -> [Case] in
      guard let file = entry.file else { return [] }
      let experts: [Expert] = entry.expert == "both" ? [.high, .low] : [entry.expert.flatMap(Expert.init) ?? .high]
      return experts.flatMap { expert in
        [Float(1), 0.7].map { Case(file: file, expert: expert, expected: group, strength: $0) }
      }.filter { golden[$0.output] != nil }
    }
  }()

  @Test("every dialect gives the same velocities as its own program", arguments: cases)
  func dialect(item: Case) throws {
    let golden = try Golden.tensors("formats/lora/expected.safetensors")
    let timestep: Float = item.expert == .high ? 977 : 313
    let expected = try #require(golden[item.output])
    let model = try ModelFolder(path: Golden.folder() + "/t2v")
    let adapters = try FittedAdapters(
      [AdapterRequest(path: Self.folder + item.file, strength: item.strength)], for: model.transformers)
    #expect(!adapters[item.expert].isEmpty)
    let actual = try velocity(model.transformers[item.expert], adapters[item.expert], timestep)
    let error = relativeError(actual, expected)
    #expect(error <= 1e-5, "relative error \(error)")
  }

  private func velocity(
    _ part: NetworkPart<WanTransformer>, _ adapters: [LoRA], _ timestep: Float
  ) throws -> Tensor {
    let golden = try Golden.tensors("parts/t2v.safetensors")
    let backend = CPUBackend(threads: 2)
    let network = try part.load(on: backend, precision: .f32, adapters: adapters)
    let x = try #require(golden["x"])
    let grid = TokenGrid(latents: x.shape)
    return try network(
      x, timesteps: TokenTimesteps(timestep, tokens: grid.count),
      rotary: RotaryTable(headDimension: network.configuration.headDimension, grid: grid, on: backend),
      context: network.context([try #require(golden["context"])]))[0]
  }

  @Test("the golden data was found")
  func found() { #expect(Self.cases.count == 51 && Self.listing?.refused.count == 4) }

  @Test("a file is for the expert that its name tells, and for both where none is told")
  func experts() throws {
    let transformers = try ModelFolder(path: Golden.folder() + "/t2v").transformers
    func counts(_ file: String, _ expert: Expert? = nil) throws -> [Int] {
      let fitted = try FittedAdapters(
        [AdapterRequest(path: Self.folder + file, expert: expert)], for: transformers)
      return [fitted[.high].count, fitted[.low].count]
    }
    #expect(try counts("kohya/style_high_noise.safetensors") == [1, 0])
    #expect(try counts("fun/style_LOW.safetensors") == [0, 1])
    #expect(try counts("peft/high") == [1, 0])
    let pair = "lightx2v/Wan2.2-T2V-A14B-4steps-lora-rank4-Seko-V1.1"
    #expect(try counts(pair) == [1, 1])
    #expect(try counts(pair, .low) == [0, 1])
    #expect(try counts("diffusers/both.safetensors") == [1, 1])
    #expect(try counts("diffusers/both.safetensors", .low) == [0, 1])
    #expect(try counts("kohya/style_high_noise.safetensors", .low) == [0, 1])
  }

  @Test("what does not fit is refused by its names, and Wan2.1's image branch is passed over with a word")
  func refused() throws {
    let transformers = try ModelFolder(path: Golden.folder() + "/t2v").transformers
    let says = [
      "wrong_width": ["blocks.0.cross_attn.k.lora_A.weight", "[64, 64]"], "other_model": ["adapter of another model"],
      "half_pair": ["blocks.0.self_attn.q.lora_A.weight", "no other half"], "not_a_number": ["NaN"],
    ]
    for (name, parts) in says {
      let path = Self.folder + "refused/\(name).safetensors"
      let error = try #require(throws: ModelError.self) {
        _ = try FittedAdapters([AdapterRequest(path: path)], for: transformers)
      }
      for part in parts + [path] { #expect(error.description.contains(part), "\(error)") }
    }
    let image = try FittedAdapters(
      [AdapterRequest(path: Self.folder + "wan21_i2v/style_high.safetensors")], for: transformers)
    #expect(image.notices.count == 1 && image.notices[0].contains("Wan2.1's image branch"))
    let single = try ModelFolder(path: Golden.folder() + "/ti2v").transformers
    #expect(throws: RequestError.self) {
      _ = try FittedAdapters([AdapterRequest(path: Self.folder + "diffusers/both.safetensors")], for: single)
    }
  }
}
