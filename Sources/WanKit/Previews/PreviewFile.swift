import Files
public import WanModels

/// The linear map of a model's own VAE, as `preview.json` keeps it in the model's folder.
///
/// An object with `factors`, a row of three numbers for each latent channel, and `bias`, three numbers; what else it holds
/// is for people.
public enum PreviewFile {
  /// Its name in a model's folder.
  public static let name = "preview.json"
  /// Beyond what any map has: a pixel's channels lie within a few units, its colours in [-1, 1].
  private static let range = -1e4...1e4

  /// Reads a map.
  ///
  /// - Throws: ``ModelError`` for a file that is damaged, too large, or for another number of channels.
  public static func colours(path: String, channels: Int) throws(ModelError) -> LatentColours {
    let file = try ConfigurationFile(path: path)
    guard let rows = try file.rows("factors", of: 3, upTo: 4096, in: range),
      let bias = try file.numbers("bias", count: 3, in: range)
    else { throw .badConfiguration(file: path, reason: "'factors' and 'bias' are not both there") }
    guard rows.count == channels else {
      throw .badConfiguration(
        file: path, reason: "it is for \(rows.count) latent channels, the model has \(channels)")
    }
    return LatentColours(factors: rows.joined().map { Float($0) }, bias: bias.map { Float($0) })
  }

  /// The text of a file with a fitted map.
  public static func text(_ fit: PreviewFit) -> String {
    func row(_ values: some Sequence<Float>) -> String { "[" + values.map { "\($0)" }.joined(separator: ", ") + "]" }
    let (factors, count) = (fit.colours.factors, fit.colours.channels)
    let rows = (0..<count).map { "    " + row(factors[3 * $0..<3 * $0 + 3]) }
    return """
      {
        "about": "Colours of normalised latents, for previews: rgb = z . factors + bias in [-1, 1], a row for each latent \
      channel; fitted to this model's VAE by 'wan preview-fit'.",
        "explained": \(fit.explained),
        "residual": \(fit.residual),
        "factors": [
      \(rows.joined(separator: ",\n"))
        ],
        "bias": \(row(fit.colours.bias))
      }

      """
  }

  /// Writes a fitted map; the file appears when it is whole.
  ///
  /// - Throws: `FileError`.
  public static func write(_ fit: PreviewFit, to path: String) throws {
    let file = try OutputFile(path: path)
    try file.write(Array(text(fit).utf8).span)
    try file.commit()
  }
}

extension ModelFolder {
  /// The map in the model's folder, or why there is one that is not used.
  var ownColours: (colours: LatentColours?, refusal: String?) {
    let file = Paths.join(path, PreviewFile.name)
    guard FileStatus(path: path)?.kind == .folder, FileStatus(path: file) != nil else { return (nil, nil) }
    do throws(ModelError) {
      return (try PreviewFile.colours(path: file, channels: latentChannels), nil)
    } catch {
      return (nil, "the colours of its own are not used: \(error)")
    }
  }
}
