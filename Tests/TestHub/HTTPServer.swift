import NIOCore
import NIOHTTP1
import NIOPosix

/// What a server is asked.
package struct Call: Sendable {
  /// Path and query.
  package let uri: String
  package let headers: [String: String]
  /// How often this was asked for, this time included.
  package let number: Int

  /// The byte that a range begins at.
  package var rangeStart: Int? {
    headers["range"].flatMap { $0.hasPrefix("bytes=") ? Int($0.dropFirst(6).prefix { $0 != "-" }) : nil }
  }
}

/// What a server answers, and how badly.
package struct Reply: Sendable {
  package var status: Int
  package var headers: [String: String]
  package var body: [UInt8]
  /// After so many bytes of the body the connection is closed.
  package var breaksAfter: Int?
  /// After so many bytes of the body nothing comes any more.
  package var stallsAfter: Int?
  /// Milliseconds between two pieces.
  package var slowness = 0
  /// Bytes of a piece that is sent at a time.
  package var pieceSize = 1000
  /// Whether the body's length is not told, and it is sent in pieces.
  package var isInPieces = false
  /// Whether there is an answer at all, and what comes in its place.
  package var absence: Absence?

  /// What a caller gets instead of an answer.
  package enum Absence: Sendable {
    /// Nothing.
    case silence
    /// The end of the connection.
    case end
  }

  package init(_ status: Int = 200, _ body: [UInt8] = [], headers: [String: String] = [:]) {
    (self.status, self.body, self.headers) = (status, body, headers)
  }

  /// Bytes, or those from where a call wants them.
  package static func file(_ bytes: [UInt8], for call: Call, headers: [String: String] = [:]) -> Reply {
    guard let start = call.rangeStart else { return Reply(200, bytes, headers: headers) }
    guard start < bytes.count else { return Reply(416, [], headers: headers) }
    let range = ["Content-Range": "bytes \(start)-\(bytes.count - 1)/\(bytes.count)"]
    return Reply(206, Array(bytes[start...]), headers: headers.merging(range) { $1 })
  }

  package func breaking(after count: Int) -> Reply {
    var reply = self
    reply.breaksAfter = count
    return reply
  }

  package func stalling(after count: Int) -> Reply {
    var reply = self
    reply.stallsAfter = count
    return reply
  }

  /// A body of unknown length, in chunks.
  package func inPieces(of size: Int) -> Reply {
    var reply = self
    (reply.isInPieces, reply.pieceSize) = (true, size)
    return reply
  }

  /// Nothing comes.
  package static var silent: Reply { absent(.silence) }

  /// The connection is closed.
  package static var dropped: Reply { absent(.end) }

  private static func absent(_ absence: Absence) -> Reply {
    var reply = Reply()
    reply.absence = absence
    return reply
  }

  package func slow(_ milliseconds: Int) -> Reply {
    var reply = self
    reply.slowness = milliseconds
    return reply
  }
}

/// A server on a port of this machine that answers as it is told.
package final class HTTPServer: Sendable {
  package let port: Int
  private let channel: any Channel

  package var address: String { "http://127.0.0.1:\(port)" }

  /// Everything that a server is asked.
  package struct Question: Sendable {
    /// "GET", "POST".
    package let method: String
    /// Path and query.
    package let uri: String
    package let headers: [String: String]
    package let body: [UInt8]
  }

  package convenience init(
    _ answer: @escaping @Sendable (_ uri: String, _ headers: [String: String]) -> Reply
  ) async throws {
    try await self.init(asked: { answer($0.uri, $0.headers) })
  }

  package init(asked answer: @escaping @Sendable (Question) -> Reply) async throws {
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: false)
          try channel.pipeline.syncOperations.addHandler(Answering(answer))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    port = channel.localAddress?.port ?? 0
  }

  deinit { channel.close(promise: nil) }
}

private final class Answering: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let answer: (HTTPServer.Question) -> Reply
  private var head: HTTPRequestHead?
  private var body: [UInt8] = []

  init(_ answer: @escaping (HTTPServer.Question) -> Reply) { self.answer = answer }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): (self.head, body) = (head, [])
    case .body(let piece): body += piece.readableBytesView
    case .end:
      guard let head else { return }
      let headers = Dictionary(head.headers.map { ($0.name.lowercased(), $0.value) }) { $1 }
      send(answer(.init(method: head.method.rawValue, uri: head.uri, headers: headers, body: body)), context)
    }
  }

  private func send(_ reply: Reply, _ context: ChannelHandlerContext) {
    if let absence = reply.absence {
      if absence == .end { context.close(promise: nil) }
      return
    }
    var headers = HTTPHeaders(reply.headers.map { ($0.key, $0.value) })
    if !reply.isInPieces, !headers.contains(name: "Content-Length") {
      headers.add(name: "Content-Length", value: "\(reply.body.count)")
    }
    let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: reply.status), headers: headers)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    sendBody(reply, from: 0, context)
  }

  private func sendBody(_ reply: Reply, from start: Int, _ context: ChannelHandlerContext) {
    let end = min(reply.breaksAfter ?? .max, reply.stallsAfter ?? .max, reply.body.count)
    let next = reply.slowness > 0 || reply.isInPieces ? min(start + reply.pieceSize, end) : end
    let buffer = context.channel.allocator.buffer(bytes: reply.body[start..<next])
    context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
    if next < end {
      let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
      context.eventLoop.scheduleTask(in: .milliseconds(Int64(reply.slowness))) {
        let (handler, context) = bound.value
        if context.channel.isActive { handler.sendBody(reply, from: next, context) }
      }
    } else if reply.breaksAfter != nil {
      context.close(promise: nil)
    } else if reply.stallsAfter == nil {
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
  }
}
