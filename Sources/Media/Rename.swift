import Foundation

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Gives a file another name on the same file system in one step, replacing what bore it.
func rename(_ source: String, to target: String) throws(MediaError) {
  // The C function reads both strings during the call only.
  guard unsafe rename(source, target) == 0 else {
    throw .cannotWrite(path: target, reason: POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO).localizedDescription)
  }
}

/// Lets a write to a process that is gone return an error instead of ending this program: pipes have no flag for it,
/// so the signal is ignored for the whole program from the first clip on.
enum BrokenPipe {
  static let ignored: Void = {
    _ = signal(SIGPIPE, SIG_IGN)
  }()
}
