import CPUBackend
import Tensors

/// Something to compute on, by the name that `--device` gives it.
struct Device: Sendable {
  let name: String
  /// What it is, in some words for help and errors.
  let summary: String
  /// Why it cannot be had here; `nil` where it can.
  let absence: @Sendable () -> String?
  /// Makes its backend, where it can be had.
  let makeBackend: @Sendable (_ threads: Int?) -> any Backend
}

/// The devices that the command knows: a new backend is one more entry, before those that it is faster than.
enum Devices {
  static let all = [
    Device(name: "cpu", summary: "the processor", absence: { nil }, makeBackend: { CPUBackend(threads: $0) })
  ]

  /// Stands for the first device that can be had.
  static let automatic = "auto"

  /// The devices for the help: "cpu (the processor)".
  static var names: String { all.map { "\($0.name) (\($0.summary))" }.joined(separator: ", ") }

  /// - Throws: for a name that nobody has, and for a device that cannot be had here.
  static func device(named name: String, among devices: [Device] = all) throws(DeviceChoiceError) -> Device {
    let found = devices.first { name == automatic ? $0.absence() == nil : $0.name == name }
    guard let found else { throw DeviceChoiceError(name, reason: "is not known", devices) }
    if let reason = found.absence() { throw DeviceChoiceError(name, reason: "is not available: \(reason)", devices) }
    return found
  }
}

/// A device that cannot be chosen, and those that there are.
struct DeviceChoiceError: Error, Hashable, CustomStringConvertible {
  let description: String

  fileprivate init(_ name: String, reason: String, _ devices: [Device]) {
    let states = devices.map { "\($0.name) (\($0.absence().map { "not available: \($0)" } ?? "available"))" }
    description = "'\(name)' \(reason); there are \(([Devices.automatic] + states).joined(separator: ", "))"
  }
}
