import Files
import TestSupport
import Testing

@Suite("JSON trees")
struct JSONValueTests {
  private struct Failure: ReadingFailure, CustomStringConvertible {
    let description: String

    init(_ problem: ReadingProblem) {
      description = "\(problem.path): byte \(problem.offset): \(problem.reason)"
    }
  }

  private func parse(_ text: String) throws(Failure) -> JSONValue {
    try JSONValue(parsing: Array(text.utf8), path: "t.json", as: Failure.self)
  }

  @Test("tell values apart by their own types")
  func values() throws {
    let text = "\u{FEFF} {\"a\": [1, -2.5e3, true, false, null, \"x\\u00e9\\ud83d\\ude00\"], \"b\": {}} \n"
    guard case .object(let members) = try parse(text), case .array(let values)? = members["a"],
      case .object(let empty)? = members["b"], values.count == 6
    else {
      Issue.record("not the tree that was written")
      return
    }
    #expect(empty.isEmpty)
    guard case .number(1) = values[0], case .number(-2500) = values[1], case .bool(true) = values[2],
      case .bool(false) = values[3], case .null = values[4], case .string("xé😀") = values[5]
    else {
      Issue.record("\(values)")
      return
    }
  }

  @Test(
    "refuse what is no JSON, and say where",
    arguments: [
      ("", "byte 0: a JSON value"), ("{\"a\": NaN}", "byte 6: a JSON value"), ("{\"a\": 1e400}", "byte 6"),
      ("{\"a\": +1}", "byte 6"), ("{\"a\": 1-2}", "byte 6"), ("{\"a\": truth}", "'true' is expected"),
      ("{\"a\": 1, \"a\": 2}", "'a' occurs twice"), ("{\"a\": 1} {", "nothing may follow"),
      ("{\"a\"", "':' is expected"),
      (String(repeating: "[", count: 33), "nested deeper than 32"), ("[1,]", "a JSON value"),
    ])
  func refused(text: String, expected: String) throws {
    let error = try #require(throws: Failure.self) { _ = try parse(text) }
    #expect(error.description.hasPrefix("t.json:") && error.description.contains(expected), "\(error)")
  }

  @Test("let the last of two members count where that is asked for, in the first one's place")
  func repeated() throws {
    let text = Array("{\"a\": 1, \"b\": 2, \"a\": true}".utf8)
    var json = JSONReader<Failure>(text, path: "t.json", repeated: .lastCounts)
    guard case .object(let members) = try json.value() else {
      Issue.record("no object")
      return
    }
    #expect(members.names == ["a", "b"] && members["a"]?.bool == true)
  }

  @Test("read integers exactly up to the largest, and refuse the next")
  func integers() throws {
    var exact = JSONReader<Failure>(Array("[9007199254740993, 9223372036854775807]".utf8), path: "t.json")
    #expect(try exact.integers(limit: 2) == [9_007_199_254_740_993, .max])
    for (text, expected) in [("9223372036854775808", "too large"), ("1.0", "an integer"), ("-1", "an integer")] {
      var json = JSONReader<Failure>(Array(text.utf8), path: "t.json", at: 8)
      let error = try #require(throws: Failure.self) { _ = try json.integer() }
      #expect(error.description.contains("byte 8: ") && error.description.contains(expected), "\(error)")
    }
  }

  @Test("nest as deeply as the limit, and no slower than they are long")
  func depth() throws {
    _ = try parse(String(repeating: "[", count: 32) + String(repeating: "]", count: 32))
    let wide = "[" + Array(repeating: "{\"a\":[[[[[[[[1]]]]]]]]}", count: 20_000).joined(separator: ",") + "]"
    let seconds = try processorSeconds { _ = try parse(wide) }
    #expect(seconds < 20)
  }

  @Test("survive damage")
  func fuzz() throws {
    let sound = Array("{\"a\": [1, -2.5e3, true, null, \"\\u00e9\"], \"b\": {\"c\": {}}}".utf8)
    var random = SeededGenerator(seed: 5)
    var refused = 0
    for _ in 0..<12_000 {
      let bytes = mutated(sound, telling: Array("{}[]\",:\\-.e9".utf8), using: &random)
      do throws(Failure) {
        _ = try JSONValue(parsing: bytes, path: "t.json", as: Failure.self)
      } catch {
        refused += 1
      }
    }
    #expect(refused > 1_000 && refused < 12_000)
  }
}
