import WanKit

extension GenerationPlan {
  /// Refuses a plan that needs more memory than there is, in the command's words.
  func checkMemory(_ machine: MachineMemory = MachineMemory()) throws {
    do throws(MemoryShortage) {
      try check(machine)
    } catch {
      let options = error.remedies.map(\.option) + ["--force to run all the same"]
      throw CommandError("\(error.cause); try \(options.joined(separator: ", "))")
    }
  }
}

extension MemoryShortage.Remedy {
  fileprivate var option: String {
    switch self {
    case .smallerSize: "a smaller --size"
    case .fewerFrames: "fewer --frames"
    case .int8: "--precision int8"
    case .tiles: "more --vae-tiles"
    }
  }
}
