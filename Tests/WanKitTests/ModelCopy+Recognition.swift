import Foundation
import Tensors
import TestSupport

extension ModelCopy {
  /// Writes a checkpoint again as safetensors with its tensors under other names.
  func rename(_ name: String, as newName: String? = nil, _ rename: (String) -> String) throws {
    try rewrite(name, as: newName) { tensors in
      for i in tensors.indices { tensors[i].name = rename(tensors[i].name) }
    }
  }

  /// Writes a checkpoint's header again, over zeros, with some tensors of a type that no writer here has.
  ///
  /// - Parameter bits: of one element.
  func retype(
    _ name: String, as newName: String? = nil, to type: String, bits: Int = 8, where isChosen: (String) -> Bool
  ) throws {
    var members: [String] = []
    var end = 0
    for (name, tensor) in try tensors(name) {
      let chosen = isChosen(name)
      let count = chosen ? (tensor.shape.count * bits + 7) / 8 : tensor.shape.count * tensor.dtype.byteCount
      let shape = tensor.shape.dimensions.map(String.init).joined(separator: ",")
      let dtype = chosen ? type : tensor.dtype.rawValue
      members.append(#""\#(name)":{"dtype":"\#(dtype)","shape":[\#(shape)],"data_offsets":[\#(end),\#(end + count)]}"#)
      end += count
    }
    let header = Data("{\(members.joined(separator: ","))}".utf8)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
    try remove(name)
    try write(Data(length) + header + Data(count: end), to: newName ?? name)
  }

  func move(_ name: String, to newName: String) throws {
    try FileManager.default.moveItem(atPath: path + "/" + name, toPath: path + "/" + newName)
  }

  func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(atPath: path + "/" + name, withIntermediateDirectories: true)
  }
}
