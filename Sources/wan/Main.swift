import CAllocation
import WanCommands

@main
struct Main {
  static func main() async {
    wan_allocation_on_failure(exhausted)
    wan_allocation_spare_addresses()
    await CommandLineTool.run()
  }
}

/// Called on any thread, so no part of `Main`, which is the main thread's.
nonisolated private func exhausted(_ wanted: Int) {
  CommandLineTool.memoryExhausted(byteCount: wanted)
}
