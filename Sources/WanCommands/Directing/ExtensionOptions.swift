import ArgumentParser
import Foundation
import Media
import Prompts
import WanKit

/// Whether a language model writes the prompt out first, and which.
struct ExtensionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Have a language model write the prompt out first: the address of an OpenAI-style chat endpoint (llama.cpp, Ollama, "
        + "vLLM, a cloud), as http://localhost:11434/v1. A key is taken from WAN_EXTEND_API_KEY, else OPENAI_API_KEY.",
      valueName: "url"))
  var extendPrompt: String?

  @Option(
    help: ArgumentHelp("The language model, as its endpoint calls it; with --image, one that sees.", valueName: "name"))
  var extendModel: String?

  @Option(help: ArgumentHelp("Of what it writes; the prompt's own unless given.", valueName: "english|chinese"))
  var extendLanguage: PromptLanguage?

  @Option(help: ArgumentHelp("Seconds that it is waited for, all attempts together.", valueName: "s"))
  var extendTimeout: Double = 120

  @Flag(help: "Make no clip where the prompt cannot be written out; by itself the prompt is then taken as it is.")
  var extendOrFail = false

  func validate() throws {
    guard let extendPrompt else {
      guard extendModel == nil, extendLanguage == nil, !extendOrFail else {
        throw ValidationError("--extend-model, --extend-language and --extend-or-fail need --extend-prompt")
      }
      return
    }
    guard let extendModel else {
      throw ValidationError("--extend-prompt needs the language model's name: --extend-model")
    }
    guard (0.1...86_400).contains(extendTimeout) else {
      throw ValidationError("--extend-timeout \(extendTimeout): seconds from 0.1 to 86400")
    }
    do throws(ExtensionError) { _ = try ChatEndpoint(extendPrompt, model: extendModel) } catch {
      throw ValidationError("--extend-prompt: \(error)")
    }
  }

  /// Whom to ask; `nil` where nobody is.
  ///
  /// - Throws: `CommandError` for a key that is none.
  func endpoint() throws -> ChatEndpoint? {
    guard let extendPrompt, let extendModel else { return nil }
    let environment = ProcessInfo.processInfo.environment
    let names = ["WAN_EXTEND_API_KEY", "OPENAI_API_KEY"]
    let key = names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
    do throws(ExtensionError) {
      var endpoint = try ChatEndpoint(extendPrompt, model: extendModel, key: key)
      endpoint.patience.seconds = extendTimeout
      return endpoint
    } catch {
      throw CommandError("--extend-prompt: \(error)")
    }
  }

  /// Asks for a request's prompt.
  ///
  /// - Returns: what to tell where the prompt stays as it is.
  /// - Throws: `CommandError` where it must not; `CancellationError`.
  func extend(
    _ request: inout GenerationRequest, by endpoint: ChatEndpoint, in vocabulary: CinematographyVocabulary
  ) async throws -> String? {
    do {
      var question = ExtensionQuestion(
        request.prompt, language: extendLanguage, vocabulary: vocabulary, cinematography: request.cinematography)
      if let image = request.image { question.picture = try await Self.picture(image) }
      request.extendedPrompt = try await PromptExtender(endpoint).extend(question)
      return nil
    } catch {
      try Task.checkCancellation()
      guard !extendOrFail else { throw CommandError("--extend-prompt: \(error)") }
      return "the prompt is taken as it is, since it could not be written out: \(error)"
    }
  }

  /// The picture as endpoints take it, no larger than models see.
  private static func picture(_ image: RGBImage) async throws -> ExtensionQuestion.Picture {
    let bytes = try await image.within(1024).jpeg(ffmpeg: .fromEnvironment())
    return ExtensionQuestion.Picture(bytes, type: "image/jpeg")
  }
}
