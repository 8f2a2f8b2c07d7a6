public import Foundation

/// How much memory the process may have, as the machine, its control groups and its limits say.
public struct MachineMemory: Sendable, Hashable {
  /// Who says how much.
  public enum Bound: Sendable, Hashable {
    /// What is built in.
    case machine
    /// A control group's limit, in the file of this path.
    case controlGroup(String)
    /// The process's limit on its address space (`ulimit -v`), less what it has taken.
    case addressSpace
    /// The process's limit on memory of its own (`ulimit -d`), less what it has taken.
    case ownMemory
    /// What an accelerator has of its own.
    case device
    /// What is free now: others have the rest.
    case free
    /// What somebody asked for.
    case asked
  }

  /// A number of bytes and who says so.
  public struct Limit: Sendable, Hashable {
    /// The most there can be.
    public let byteCount: Int
    /// Who says so.
    public let bound: Bound

    /// A limit of one's own.
    public init(_ byteCount: Int, _ bound: Bound) {
      (self.byteCount, self.bound) = (byteCount, bound)
    }
  }

  /// Of memory in use, mapped files in use included: the machine's, or that of a control group with less.
  public let resident: Limit
  /// Of memory that the process asks for from now on; `nil` where nothing limits it.
  public let owned: Limit?

  /// Limits of one's own.
  public init(resident: Limit, owned: Limit? = nil) {
    (self.resident, self.owned) = (resident, owned)
  }

  /// What is free now, caches that the system can take back included; at most ``resident``.
  ///
  /// - Parameter root: the folder that `proc` and `sys` lie in.
  public func free(root: String = "/") -> Limit {
    let files = SystemFiles(root: root)
    let rest = ([files.available] + files.controlGroupRests).compactMap { $0 }
    guard let least = rest.min(), least < resident.byteCount else { return resident }
    return Limit(least, .free)
  }

  /// Reads what Linux tells in `/proc` and `/sys`; elsewhere only the machine counts.
  ///
  /// - Parameters:
  ///   - root: the folder that `proc` and `sys` lie in.
  ///   - physicalMemory: what is built in.
  public init(root: String = "/", physicalMemory: Int = Int(clamping: ProcessInfo.processInfo.physicalMemory)) {
    let files = SystemFiles(root: root)
    let limits = [Limit(physicalMemory, .machine)] + files.controlGroupLimits
    resident = limits.min { $0.byteCount < $1.byteCount } ?? Limit(physicalMemory, .machine)
    owned = files.processLimits.min { $0.byteCount < $1.byteCount }
  }
}

/// The files in which Linux tells of limits.
private struct SystemFiles {
  let root: String

  private func lines(_ path: String) -> [Substring] {
    guard let data = FileManager.default.contents(atPath: root + "/" + path) else { return [] }
    return String(decoding: data, as: UTF8.self).split(separator: "\n")
  }

  /// What the machine has free.
  var available: Int? {
    let line = lines("proc/meminfo").first { $0.hasPrefix("MemAvailable:") }
    return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
  }

  // MARK: control groups

  /// What each limited group of the process has left: its cache counts as free, as far as nobody maps it.
  var controlGroupRests: [Int] {
    controlGroupLimits.compactMap { limit in
      guard case .controlGroup(let file) = limit.bound, let slash = file.lastIndex(of: "/") else { return nil }
      let folder = String(file[..<slash])
      let current = ["/memory.current", "/memory.usage_in_bytes"].lazy.compactMap { lines(folder + $0).first }
        .compactMap { Int($0) }.first
      let cached = lines(folder + "/memory.stat").lazy.compactMap { line -> Int? in
        let words = line.split(separator: " ")
        return words.count == 2 && (words[0] == "inactive_file" || words[0] == "total_inactive_file")
          ? Int(words[1]) : nil
      }.first
      guard let current else { return nil }
      return max(0, limit.byteCount - max(0, current - (cached ?? 0)))
    }
  }

  /// The limits of the process's groups and all groups above them that can be seen, of both versions.
  var controlGroupLimits: [MachineMemory.Limit] {
    memberships.flatMap { version, group in
      mounts.filter { $0.version == version }.flatMap { limits(of: group, in: $0) }
    }
  }

  private enum Version { case one, two }

  /// A mounted hierarchy: the group that its top is, and where.
  private struct Mount {
    let version: Version
    let top, point: String
  }

  /// `0::/user.slice` is of version 2, `4:memory:/docker/1` of version 1.
  private var memberships: [(Version, String)] {
    lines("proc/self/cgroup").compactMap { line in
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { return nil }
      if parts[0] == "0" && parts[1].isEmpty { return (.two, String(parts[2])) }
      return parts[1].split(separator: ",").contains("memory") ? (.one, String(parts[2])) : nil
    }
  }

  /// `30 23 0:26 /top /sys/fs/cgroup rw - cgroup2 cgroup2 rw`, see proc_pid_mountinfo(5).
  private var mounts: [Mount] {
    lines("proc/self/mountinfo").compactMap { line in
      let words = line.split(separator: " ")
      guard let dash = words.firstIndex(of: "-"), dash > 5, words.count > dash + 3 else { return nil }
      let (top, point) = (String(words[3]), String(words[4]))
      switch words[dash + 1] {
      case "cgroup2": return Mount(version: .two, top: top, point: point)
      case "cgroup" where words[dash + 3].split(separator: ",").contains("memory"):
        return Mount(version: .one, top: top, point: point)
      default: return nil
      }
    }
  }

  private func limits(of group: String, in mount: Mount) -> [MachineMemory.Limit] {
    // In a container the group may be named from the machine's top, and the hierarchy mounted from the group on.
    let top = mount.top == "/" ? "" : mount.top
    let isInside = group.hasPrefix(top) && !group.contains("..")
    var names = isInside ? group.dropFirst(top.count).split(separator: "/") : []
    var limits: [MachineMemory.Limit] = []
    while true {
      let folder = ([Substring(mount.point)] + names).joined(separator: "/")
      let file = folder + (mount.version == .two ? "/memory.max" : "/memory.limit_in_bytes")
      // "max" is no number, and no limit.
      if let limit = lines(file).first.flatMap({ Int($0) }) { limits.append(.init(limit, .controlGroup(file))) }
      if names.popLast() == nil { return limits }
    }
  }

  // MARK: the process

  var processLimits: [MachineMemory.Limit] {
    let taken = Dictionary(
      lines("proc/self/status").compactMap { line -> (Substring, Int)? in
        let words = line.split { $0 == " " || $0 == "\t" || $0 == ":" }
        guard words.count == 3, words[2] == "kB", let count = Int(words[1]) else { return nil }
        return (words[0], count << 10)
      }, uniquingKeysWith: { first, _ in first })
    let rows: [(title: String, taken: Substring, bound: MachineMemory.Bound)] = [
      ("Max address space", "VmSize", .addressSpace), ("Max data size", "VmData", .ownMemory),
    ]
    let limits = lines("proc/self/limits")
    return rows.compactMap { row in
      guard let line = limits.first(where: { $0.hasPrefix(row.title) }),
        let soft = line.dropFirst(row.title.count).split(separator: " ").first.flatMap({ Int($0) })
      else { return nil }
      return MachineMemory.Limit(max(0, soft - (taken[row.taken] ?? 0)), row.bound)
    }
  }
}
