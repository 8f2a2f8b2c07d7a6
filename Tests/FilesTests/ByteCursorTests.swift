import Files
import Testing

@Suite("Byte cursors")
struct ByteCursorTests {
  private struct Failure: ReadingFailure, Equatable {
    let offset: Int
    let reason: String

    init(_ problem: ReadingProblem) { (offset, reason) = (problem.offset, problem.reason) }
  }

  private typealias Cursor = ByteCursor<[UInt8], Failure>

  private func cursor(_ bytes: [UInt8], from start: Int = 0) -> Cursor {
    Cursor(bytes, in: start..<bytes.count, path: "t")
  }

  @Test("read little-endian numbers, bytes and texts one behind the other")
  func sequence() throws {
    var bytes = cursor([9, 0x34, 0x12, 0xFF, 0xFF, 0xFF, 0x7F, 0xAC, 0x02, 0xC3, 0xA9, 7, 8], from: 1)
    #expect(try bytes.integer(UInt16.self) == 0x1234)
    #expect(try bytes.count(UInt32.self) == Int(Int32.max))
    #expect(try bytes.variableInteger() == 300)
    #expect(try bytes.text(2) == "é")
    #expect(try bytes.moved(to: 11).next == 7)
    #expect(try bytes.bytes(2) == [7, 8])
    #expect(bytes.remaining == 0 && bytes.next == nil && bytes.position == 13)
  }

  @Test("refuse what is not there or does not fit, at its byte, and stay where they are")
  func refusals() throws {
    let cases: [(bytes: [UInt8], offset: Int, reason: String, read: (inout Cursor) throws -> Void)] = [
      ([1], 0, "2 bytes are needed, 1 are left", { _ = try $0.integer(UInt16.self) }),
      ([1], 0, "-1 bytes are needed, 1 are left", { try $0.skip(-1) }),
      ([1], 0, "byte 2 lies behind byte 1", { _ = try $0.moved(to: 2) }),
      (Array(repeating: 0xFF, count: 8), 0, "the number \(UInt64.max) is too large", { _ = try $0.count(UInt64.self) }),
      ([0xFF], 0, "1 bytes of text are not valid UTF-8", { _ = try $0.text(1) }),
      ([UInt8](repeating: 0x80, count: 11), 10, "a number of more than 64 bits", { _ = try $0.variableInteger() }),
    ]
    for (bytes, offset, reason, read) in cases {
      var cursor = cursor(bytes)
      let error = try #require(throws: Failure.self) { try read(&cursor) }
      #expect(error.offset == offset && error.reason == reason, "\(error)")
    }
    var short = cursor([1])
    #expect(throws: Failure.self) { try short.bytes(2) }
    #expect(short.position == 0)
  }
}
