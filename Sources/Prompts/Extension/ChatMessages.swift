import Foundation

/// The body of a question to `/chat/completions`.
struct ChatRequest: Encodable {
  let model: String
  let messages: [Message]
  let temperature = 0
  let stream = false

  struct Message: Encodable {
    let role: String
    let content: Content
  }

  /// A text, or a text and a picture.
  enum Content: Encodable {
    case text(String)
    case picture(String, url: String)

    private struct Part: Encodable {
      let type: String
      var text: String?
      var image_url: Address?

      struct Address: Encodable {
        let url: String
      }
    }

    func encode(to encoder: any Encoder) throws {
      switch self {
      case .text(let text): try text.encode(to: encoder)
      case .picture(let text, let url):
        try [Part(type: "text", text: text), Part(type: "image_url", image_url: .init(url: url))].encode(to: encoder)
      }
    }
  }

  init(_ question: ExtensionQuestion, model: String) {
    let instructions = ExtensionInstructions(question: question)
    self.model = model
    let content = question.picture.map { picture in
      Content.picture(
        instructions.prompt, url: "data:\(picture.type);base64,\(Data(picture.bytes).base64EncodedString())")
    }
    messages = [
      Message(role: "system", content: .text(instructions.text)),
      Message(role: "user", content: content ?? .text(instructions.prompt)),
    ]
  }
}

/// What an endpoint answers, as far as it is needed.
struct ChatAnswer: Decodable {
  let choices: [Choice]

  struct Choice: Decodable {
    let message: Message
  }

  struct Message: Decodable {
    /// `nil` for an answer without text.
    let content: String?

    private enum CodingKeys: String, CodingKey { case content }

    private struct Part: Decodable {
      let text: String?
    }

    init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: CodingKeys.self)
      // Some endpoints answer in parts, as questions are asked.
      if let parts = try? fields.decode([Part].self, forKey: .content) {
        content = parts.compactMap(\.text).joined()
      } else {
        content = try fields.decodeIfPresent(String.self, forKey: .content)
      }
    }
  }

  /// The longest text that takes a prompt's place, in bytes: a Chinese one of 200 words has some hundred.
  static let longest = 8000

  /// The prompt in an answer.
  ///
  /// - Throws: ``ExtensionError/badAnswer(host:reason:)``.
  static func prompt(in body: [UInt8], from host: String) throws(ExtensionError) -> String {
    guard let answer = try? JSONDecoder().decode(ChatAnswer.self, from: Data(body)) else {
      let start = String(decoding: body.prefix(80), as: UTF8.self).onOneLine
      throw .badAnswer(host: host, reason: "it is not the JSON of a chat, and begins '\(start)'")
    }
    let text = (answer.choices.first?.message.content ?? "").withoutThoughts.unquoted.onOneLine
    guard text.unicodeScalars.contains(where: { $0.properties.isAlphabetic }) else {
      throw .badAnswer(host: host, reason: "its text is empty")
    }
    guard text.utf8.count <= longest else {
      throw .badAnswer(host: host, reason: "its text has \(text.utf8.count) bytes, and prompts at most \(longest)")
    }
    guard !text.unicodeScalars.contains("\u{FFFD}") else {
      throw .badAnswer(host: host, reason: "its text is damaged")
    }
    return text
  }
}

/// What an endpoint says when it refuses.
struct ChatFailure: Decodable {
  let reason: String

  private enum CodingKeys: String, CodingKey { case error, message, detail }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    if let error = try? fields.nestedContainer(keyedBy: CodingKeys.self, forKey: .error) {
      reason = try error.decode(String.self, forKey: .message)
    } else if let text = [CodingKeys.error, .message, .detail].lazy.compactMap({
      try? fields.decode(String.self, forKey: $0)
    }).first {
      reason = text
    } else {
      throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "no reason"))
    }
  }

  /// The reason in a body, short enough for a message; empty where there is none.
  static func reason(in body: [UInt8]) -> String {
    let failure = try? JSONDecoder().decode(ChatFailure.self, from: Data(body))
    return String((failure?.reason ?? "").onOneLine.prefix(200))
  }
}

extension String {
  /// Without control characters, and with one space for each run of white space.
  var onOneLine: String {
    var result = String.UnicodeScalarView()
    for scalar in unicodeScalars {
      let isGap = scalar.properties.isWhitespace || scalar.properties.generalCategory == .control
      if !isGap { result.append(scalar) } else if result.last != " ", !result.isEmpty { result.append(" ") }
    }
    if result.last == " " { result.removeLast() }
    return String(result)
  }

  /// What comes after the thoughts of a model that thinks aloud.
  fileprivate var withoutThoughts: String {
    guard let end = range(of: "</think>", options: .backwards) else {
      return contains("<think>") ? "" : self
    }
    return String(self[end.upperBound...])
  }

  /// The text within a pair of quotation marks or a fence of code around all of it.
  fileprivate var unquoted: String {
    let text = trimmingCharacters(in: .whitespacesAndNewlines)
    for (open, close) in [("```", "```"), ("\"", "\""), ("“", "”"), ("「", "」")] {
      guard text.count > open.count + close.count, text.hasPrefix(open), text.hasSuffix(close) else { continue }
      let inner = text.dropFirst(open.count).dropLast(close.count)
      if !inner.contains(open), !inner.contains(close) { return String(inner) }
    }
    return text
  }
}
