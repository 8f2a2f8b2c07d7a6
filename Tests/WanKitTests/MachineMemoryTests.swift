import Foundation
import Tensors
import TestSupport
import Testing

@testable import WanKit

/// What is read of a machine, from folders that look like its `proc` and `sys`.
struct MachineMemoryTests {
  private let root: TemporaryFolder

  init() throws { root = try TemporaryFolder() }

  private func write(_ text: String, to path: String) throws {
    let url = root.url.appendingPathComponent(path)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  private func read() -> MachineMemory { MachineMemory(root: root.path, physicalMemory: 8 << 30) }

  private static let mount2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
  private static let mount1 =
    "35 32 0:30 / /sys/fs/cgroup/memory rw,relatime shared:17 - cgroup cgroup rw,memory\n"
    + "36 32 0:31 / /sys/fs/cgroup/cpu,cpuacct rw shared:18 - cgroup cgroup rw,cpu,cpuacct\n"

  @Test("without files only the machine counts")
  func machine() {
    #expect(read() == MachineMemory(resident: .init(8 << 30, .machine)))
  }

  @Test("of version 2 the smallest limit of the group and those above it counts")
  func version2() throws {
    try write("0::/user.slice/run.scope\n", to: "proc/self/cgroup")
    try write(Self.mount2, to: "proc/self/mountinfo")
    try write("max\n", to: "sys/fs/cgroup/user.slice/run.scope/memory.max")
    #expect(read().resident == .init(8 << 30, .machine))
    try write("\(1 << 30)\n", to: "sys/fs/cgroup/user.slice/memory.max")
    #expect(read().resident == .init(1 << 30, .controlGroup("/sys/fs/cgroup/user.slice/memory.max")))
    try write("\(1 << 29)\n", to: "sys/fs/cgroup/memory.max")
    #expect(read().resident == .init(1 << 29, .controlGroup("/sys/fs/cgroup/memory.max")))
    try write("\(16 << 30)\n", to: "sys/fs/cgroup/memory.max")
    try write("max\n", to: "sys/fs/cgroup/user.slice/memory.max")
    #expect(read().resident == .init(8 << 30, .machine))
  }

  @Test("free is what the machine says, or what a limited group has left beside its unmapped cache")
  func free() throws {
    #expect(read().free(root: root.path) == .init(8 << 30, .machine), "without files, all there is")
    try write("MemTotal: 8388608 kB\nMemAvailable: 5242880 kB\n", to: "proc/meminfo")
    #expect(read().free(root: root.path) == .init(5 << 30, .free))
    try write("0::/run.scope\n", to: "proc/self/cgroup")
    try write(Self.mount2, to: "proc/self/mountinfo")
    try write("\(4 << 30)\n", to: "sys/fs/cgroup/run.scope/memory.max")
    try write("\(3 << 30)\n", to: "sys/fs/cgroup/run.scope/memory.current")
    #expect(read().free(root: root.path) == .init(1 << 30, .free))
    try write("anon 5\ninactive_file \(2 << 30)\n", to: "sys/fs/cgroup/run.scope/memory.stat")
    #expect(read().free(root: root.path) == .init(3 << 30, .free))
  }

  @Test("of version 1 too, whose largest number means none")
  func version1() throws {
    try write("11:cpu,cpuacct:/other\n4:memory:/docker/abc\n1:name=systemd:/x\n", to: "proc/self/cgroup")
    try write(Self.mount1, to: "proc/self/mountinfo")
    try write("9223372036854771712\n", to: "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes")
    #expect(read().resident.bound == .machine)
    try write("\(3 << 30)\n", to: "sys/fs/cgroup/memory/docker/memory.limit_in_bytes")
    #expect(read().resident.byteCount == 3 << 30)
  }

  @Test("in a container whose hierarchy is mounted from its own group on")
  func container() throws {
    try write("4:memory:/docker/abc\n", to: "proc/self/cgroup")
    try write(Self.mount1.replacingOccurrences(of: "0:30 / ", with: "0:30 /docker/abc "), to: "proc/self/mountinfo")
    try write("\(2 << 30)\n", to: "sys/fs/cgroup/memory/memory.limit_in_bytes")
    #expect(read().resident.byteCount == 2 << 30)
    try write("0::/../../outside\n", to: "proc/self/cgroup")
    try write(Self.mount2, to: "proc/self/mountinfo")
    try write("\(1 << 30)\n", to: "sys/fs/cgroup/memory.max")
    #expect(read().resident.byteCount == 1 << 30)
  }

  @Test("limits of the process count less what it has taken, and the smaller one counts")
  func process() throws {
    let row = { (title: String, soft: String) in
      title.padding(toLength: 26, withPad: " ", startingAt: 0) + soft + "            unlimited            bytes\n"
    }
    try write("Name:\twan\nVmSize:\t  1024 kB\nVmData:\t   512 kB\nThreads:\t1\n", to: "proc/self/status")
    try write(row("Max data size", "unlimited") + row("Max address space", "unlimited"), to: "proc/self/limits")
    #expect(read().owned == nil)
    try write(row("Max data size", "unlimited") + row("Max address space", "\(3 << 20)"), to: "proc/self/limits")
    #expect(read().owned == .init(2 << 20, .addressSpace))
    try write(row("Max data size", "\(1 << 20)") + row("Max address space", "\(3 << 20)"), to: "proc/self/limits")
    #expect(read().owned == .init(1 << 19, .ownMemory))
    try write(row("Max data size", "1000"), to: "proc/self/limits")
    #expect(read().owned == .init(0, .ownMemory))
  }

  @Test("files of nonsense are passed over")
  func nonsense() throws {
    var generator = SeededGenerator(seed: 2)
    let bits = ["0::/", "a", ":", "\n", "memory", " - ", "cgroup2 ", "/../", "-5", "99999999999999999999", "VmSize: "]
    let files = ["cgroup", "mountinfo", "status", "limits"].map { "proc/self/" + $0 } + ["sys/fs/cgroup/memory.max"]
    for _ in 0..<500 {
      for file in files {
        let text = (0..<6).map { _ in bits.randomElement(using: &generator) ?? "" }.joined()
        try write(text, to: file)
      }
      #expect(read().resident.byteCount <= 8 << 30)
    }
  }

  @Test("the machine that this runs on has some memory")
  func here() {
    #expect(MachineMemory().resident.byteCount > 64 << 20)
  }

  private func plan(_ precision: Precision = .bf16, frames: Int = 5) throws -> GenerationPlan {
    var request = SmallRuns.request(precision)
    request.frames = frames
    return try GenerationPlan(request, model: SmallRuns.model("ti2v"), on: .reference)
  }

  @Test("a plan is held against what its stages need; what the text encoder maps does not count")
  func check() throws {
    let plan = try plan()
    let needed = max(plan.samplingMemory(on: .reference).total, plan.decodingMemory.total)
    try plan.check(MachineMemory(resident: .init(needed, .machine)), on: .reference)
    let error = #expect(throws: MemoryShortage.self) {
      try plan.check(
        MachineMemory(resident: .init(needed - 1, .controlGroup("/sys/fs/cgroup/memory.max"))), on: .reference)
    }
    #expect(error?.needed == needed)
    let text = error?.description ?? ""
    #expect(text.contains("this run needs about ") && text.contains("(/sys/fs/cgroup/memory.max)"), "\(text)")
    #expect(text.contains("it would need less with"))
  }

  @Test("what helps is what makes the largest stage smaller")
  func remedies() throws {
    let machine = MachineMemory(resident: .init(0, .machine))
    for (precision, frames) in [(Precision.bf16, 1), (.int8, 1), (.bf16, 5)] {
      let plan = try plan(precision, frames: frames)
      let error = try #require(#expect(throws: MemoryShortage.self) { try plan.check(machine, on: .reference) })
      let isSampling = plan.samplingMemory(on: .reference).total >= plan.decodingMemory.total
      #expect(error.remedies.contains(.tiles) == !isSampling)
      let weighs = plan.samplingMemory(on: .reference).weights > plan.samplingMemory(on: .reference).total / 8
      #expect(error.remedies.contains(.int8) == (isSampling && weighs && precision != .int8))
      #expect(!error.remedies.contains(.fewerFrames) || frames > 1)
    }
  }

  @Test("a device is held to its own memory and to what its backend keeps, whatever the machine has")
  func device() throws {
    let plan = try plan()
    func traits(_ byteCount: Int?) -> BackendTraits {
      BackendTraits(
        memory: .device(byteCount: byteCount), precisions: [.f32, .bf16], usesWeightsInPlace: false,
        overhead: .init(scratch: 3, kept: 4))
    }
    let needed = max(plan.samplingMemory(on: traits(nil)).total, plan.decodingMemory.total) + 7
    let nothing = MachineMemory(resident: .init(0, .machine))
    try plan.check(nothing, on: traits(needed))
    try plan.check(nothing, on: traits(nil))
    let error = #expect(throws: MemoryShortage.self) { try plan.check(nothing, on: traits(needed - 1)) }
    #expect(error?.needed == needed && error?.description.contains("the device that it runs on has") == true)
  }

  @Test("weights that a backend copies count against the process's own memory")
  func copies() throws {
    let plan = try plan()
    func traits(_ precisions: Set<Precision>, inPlace: Bool) -> BackendTraits {
      BackendTraits(memory: .host, precisions: precisions, usesWeightsInPlace: inPlace)
    }
    #expect(plan.ownedWeights(on: traits([.bf16], inPlace: true)) == 0)
    let copies = traits([.bf16], inPlace: false)
    #expect(plan.ownedWeights(on: copies) == plan.samplingMemory(on: copies).weights)
    let bytes = try self.plan(.int8)
    let made = bytes.ownedWeights(on: traits([.bf16, .int8], inPlace: true))
    #expect(made > 0 && made < bytes.samplingMemory(on: .reference).weights)
    #expect(bytes.ownedWeights(on: traits([.bf16], inPlace: true)) == 0, "no bytes are made where none are multiplied")
  }

  @Test("a limit on the process's own memory counts too")
  func owned() throws {
    let plan = try plan()
    let plenty = MachineMemory.Limit(1 << 40, .machine)
    try plan.check(MachineMemory(resident: plenty, owned: .init(1 << 30, .addressSpace)), on: .reference)
    let error = #expect(throws: MemoryShortage.self) {
      try plan.check(MachineMemory(resident: plenty, owned: .init(64 << 20, .addressSpace)), on: .reference)
    }
    #expect(error?.description.contains("(ulimit -v)") == true)
  }
}
