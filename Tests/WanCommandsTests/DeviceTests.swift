import Tensors
import Testing

@testable import WanCommands

/// The registry of what the command computes on.
struct DeviceTests {
  private static func device(_ name: String, absent reason: String? = nil) -> Device {
    Device(name: name, summary: "a test's", absence: { reason }, makeBackend: { _ in OutlineBackend() })
  }

  private static let devices = [
    device("gpu", absent: "no driver answers"), device("cpu"), device("npu"),
  ]

  @Test("auto takes the first device that can be had; a name takes its own")
  func choice() throws {
    #expect(try Devices.device(named: "auto", among: Self.devices).name == "cpu")
    #expect(try Devices.device(named: "npu", among: Self.devices).name == "npu")
  }

  @Test("a name that is not known, and a device that cannot be had, tell of those that there are")
  func refusals() {
    let list = "there are auto, gpu (not available: no driver answers), cpu (available), npu (available)"
    let unknown = #expect(throws: DeviceChoiceError.self) { try Devices.device(named: "tpu", among: Self.devices) }
    #expect(unknown?.description == "'tpu' is not known; \(list)")
    let absent = #expect(throws: DeviceChoiceError.self) { try Devices.device(named: "gpu", among: Self.devices) }
    #expect(absent?.description == "'gpu' is not available: no driver answers; \(list)")
    let none = #expect(throws: DeviceChoiceError.self) { try Devices.device(named: "auto", among: []) }
    #expect(none?.description.hasPrefix("'auto' is not known") == true)
  }

  @Test("every device that this machine has makes a backend of its name, on the threads asked for")
  func backends() {
    for device in Devices.all where device.absence() == nil {
      #expect(device.name != Devices.automatic && !device.summary.isEmpty)
      let backend = device.makeBackend(1)
      #expect(backend.name.hasPrefix(device.name) && backend.name.contains("1 thread"), "\(backend.name)")
    }
    #expect(Set(Devices.all.map(\.name)).count == Devices.all.count)
  }
}
