import WanModels

/// The multiplications that a clip without guidance cannot do without, a product and a sum being two operations.
///
/// Only the blocks' matrices and attention are counted: embeddings, norms, autoencoder and file come on top.
struct ClipOperations {
  /// Of the prompt's way through the text encoder.
  let text: Double
  /// Of keys and values of the prompt in each block, which one step after another uses.
  let context: Double
  /// Of one pass of the transformer.
  let pass: Double

  init(
    _ transformer: TransformerConfiguration, _ encoder: TextEncoderConfiguration, tokens: Int, promptTokens: Int
  ) {
    let (n, m) = (Double(tokens), Double(transformer.textLength))
    let (d, f) = (Double(transformer.dimension), Double(transformer.feedForward))
    // Self-attention's four matrices, two of the prompt's, and the two of the feed-forward layer.
    let linears = 2 * n * (4 * d * d + 2 * d * d + 2 * d * f)
    pass = Double(transformer.layers) * (linears + 4 * n * n * d + 4 * n * m * d)
    context = Double(transformer.layers) * 2 * m * 2 * d * d
    let (p, w) = (Double(promptTokens), Double(encoder.dimension))
    let (a, g) = (Double(encoder.attention), Double(encoder.feedForward))
    text = Double(encoder.layers) * (2 * p * (4 * w * a + 3 * w * g) + 4 * p * p * a)
  }
}
