import ArgumentParser
import Files
import Sampling
import WanKit

/// A LoRA's file, perhaps its strength, perhaps its expert: `style.safetensors=0.8:high`.
struct LoRAArgument: ExpressibleByArgument {
  let request: AdapterRequest

  init?(argument: String) {
    guard !argument.isEmpty else { return nil }
    var path = argument
    var expert: Expert?
    var strength: Float = 1
    // A file may have any of these signs in its name.
    for (ending, named) in [(":high", Expert.high), (":low", .low)] where path.hasSuffix(ending) && !Self.exists(path) {
      path.removeLast(ending.count)
      expert = named
    }
    if !Self.exists(path), let sign = path.lastIndex(of: "="), sign != path.startIndex {
      guard let number = Float(path[path.index(after: sign)...]), number.isFinite else { return nil }
      strength = number
      path = String(path[..<sign])
    }
    guard let path = try? PathArgument.path(path) else { return nil }
    request = AdapterRequest(path: path, strength: strength, expert: expert)
  }

  private static func exists(_ path: String) -> Bool { FileStatus(path: path) != nil }
}
