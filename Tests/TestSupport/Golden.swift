public import Foundation
public import Tensors

/// The recorded outputs of the published code.
public enum Golden {
  /// The folder that `WAN_GOLDEN` names, or `Tests/Golden` of this checkout.
  public static func folder() -> String {
    ProcessInfo.processInfo.environment["WAN_GOLDEN"] ?? bundledFolder
  }

  /// `Tests/Golden` of this checkout, whatever the environment says.
  public static var bundledFolder: String { testsFolder + "/Golden" }

  /// `Tests/Fixtures` of this checkout: what tests need and the golden data does not hold.
  public static var fixturesFolder: String { testsFolder + "/Fixtures" }

  /// Every tensor of a safetensors file under ``folder()``.
  public static func tensors(_ relativePath: String) throws -> [String: Tensor] {
    try TensorFile.read(folder() + "/" + relativePath)
  }

  /// A JSON file under ``folder()``.
  public static func json<Value: Decodable>(_ relativePath: String, as type: Value.Type = Value.self) throws -> Value {
    try JSONDecoder().decode(type, from: data(folder() + "/" + relativePath))
  }

  /// The files of one type in a folder under ``folder()``, sorted, without the type: `"t2v"` for `t2v.json`.
  public static func names(in relativePath: String, type: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder() + "/" + relativePath)
      .filter { $0.hasSuffix("." + type) }.map { String($0.dropLast(type.count + 1)) }.sorted()
  }

  /// The bytes of a file, by its full path.
  public static func data(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path))
  }

  private static var testsFolder: String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
  }
}
