import Tensors
import TestSupport
import Testing

/// What a backend gets that has places and primitives alone.
struct RemoteBackendTests {
  @Test("every operation made of primitives agrees with the reference, on tensors that the host cannot read")
  func conforms() throws {
    let outcomes = try BackendConformance().outcomes(of: RemoteBackend())
    for outcome in outcomes where !outcome.passes { Issue.record("\(outcome)") }
  }

  @Test("tensors keep their place under views, and come back whole")
  func places() throws {
    let backend = RemoteBackend()
    let x = Tensor.random([4, 6], seed: 1)
    let remote = backend.resident(x)
    #expect(x.isHost && !remote.isHost)
    #expect(!remote.slice(1..<3).reshaped([12]).isHost && !remote[2].isHost)
    #expect(try backend.host(remote[2]).floats() == x[2].floats())
    #expect(try backend.host(backend.zeros([3], dtype: .f32)).floats() == [0, 0, 0])
    #expect(try backend.host(x).floats() == x.floats())
  }

  @Test("the first error of a device is thrown where its results are waited for")
  func errors() throws {
    let failure = DeviceError(device: "card", reason: "out of memory")
    let backend = RemoteBackend(failing: failure)
    let y = backend.add(backend.zeros([2], dtype: .f32), backend.zeros([2], dtype: .f32))
    #expect(throws: failure) { try backend.host(y) }
    #expect(throws: failure) { try backend.synchronize() }
    #expect(failure.description == "card: out of memory")
  }

  @Test("the host that reads a tensor of a device ends the program", arguments: [0, 1, 2])
  func trap(way: Int) async {
    switch way {
    case 0: await #expect(processExitsWith: .failure) { _ = RemoteBackend().zeros([2], dtype: .f32).floats() }
    case 1:
      await #expect(processExitsWith: .failure) {
        RemoteBackend().zeros([2], dtype: .f32).withSpan(of: Float.self) { _ = $0[0] }
      }
    default:
      await #expect(processExitsWith: .failure) { RemoteBackend().zeros([2], dtype: .f32).withBytes { _ = $0[0] } }
    }
  }

  @Test("an outline has shapes and nothing to give")
  func outline() {
    let backend = OutlineBackend()
    let x = backend.resident(.zeros([2, 5, 3, 4]))
    #expect(backend.attention(x, x, x, AttentionOptions(scale: 1)).shape == [2, 5, 3, 4])
    let kernel = OutlineBackend.outline([7, 4, 3, 3, 3], .bf16)
    let convolution = backend.prepare(
      kernel: kernel, bias: nil, geometry: .init(leadingFrames: 2, padding: .init(all: 1)), precision: .bf16)
    #expect(convolution(x, history: nil, output: .bf16).shape == [2, 5, 3, 7])
    #expect(throws: DeviceError.self) { try backend.host(x) }
  }
}
