import Layers
public import Media
public import Tensors
public import WanModels

/// What makes pictures of latents: a linear map, or a tiny autoencoder.
public enum PreviewSource: Sendable {
  /// A few milliseconds for a clip of full size.
  case colours(LatentColours)
  /// Truer shapes and colours, for some thousandths of a step of a full-size model; made with
  /// ``TinyConfiguration/forPreviews``.
  case tiny(TinyDecoder)

  /// A picture of each latent frame of normalised latents [C, T, h, w] float32 in host memory.
  ///
  /// - Throws: of a tiny autoencoder `CancellationError` when the task is cancelled, and `DeviceError`.
  public func pictures(of latents: Tensor) throws -> [RGBImage] {
    switch self {
    case .colours(let colours): colours.pictures(of: latents)
    case .tiny(let decoder): RGBImage.frames(of: try decoder.pictures(of: latents))
    }
  }
}

/// Which pictures a model's steps are shown by: found before the run, made for it.
public struct PreviewChoice: Sendable {
  /// Where the pictures come from.
  public enum Origin: String, Sendable, Hashable, Codable {
    /// The linear map of the model's own folder, `preview.json`.
    case own
    /// The published linear map for latents of its channels.
    case published
    /// A tiny autoencoder.
    case tiny
  }

  /// Which tiny autoencoder is to make them.
  public enum Tiny: Sendable, Hashable {
    /// One that lies beside the model's files, or in the folders that were searched for them.
    case found
    /// The one in this file.
    case file(String)
  }

  /// Where the pictures come from.
  public let origin: Origin
  /// What to know of them, a line each: a file that was not used, colours that may be wrong.
  public let notices: [String]
  private let kind: Kind

  private enum Kind: Sendable {
    case colours(LatentColours)
    case tiny(NetworkPart<TinyDecoder>)
  }

  /// A tiny autoencoder where one is asked for, or decodes the clip; else the linear map in the model's folder, else the
  /// published one for as many latent channels.
  ///
  /// - Throws: ``ModelError``, for a tiny autoencoder that is not there, damaged or another model's, and for latents of
  ///   which nothing is known.
  public init(_ model: ModelFolder, tiny: Tiny? = nil) throws(ModelError) {
    if let part = try model.tinyDecoder(tiny) {
      (origin, notices) = (.tiny, tiny == nil ? [] : model.tinyPreviewNotices)
      kind = .tiny(NetworkPart(part.source, part.configuration.forPreviews, demand: part.demand))
      return
    }
    let (own, refusal) = model.ownColours
    if let own {
      (origin, notices, kind) = (.own, [], .colours(own))
      return
    }
    guard let published = LatentColours.published(channels: model.latentChannels) else {
      throw .inconsistent(
        folder: model.path,
        reason: "nothing is known of the colours of its \(model.latentChannels) latent channels"
          + (refusal.map { " (\($0))" } ?? "") + "; 'wan preview-fit' computes them")
    }
    (origin, kind) = (.published, .colours(published))
    notices = (refusal.map { [$0] } ?? []) + model.publishedColourNotices
  }

  /// Loads what the pictures need.
  ///
  /// - Throws: `WeightError` for a tiny autoencoder whose weights cannot be read.
  public func source(on backend: any Backend, precision: Precision = .bf16) throws -> PreviewSource {
    switch kind {
    case .colours(let colours): .colours(colours)
    case .tiny(let part): .tiny(try part.load(on: backend, precision: precision.unquantized))
    }
  }
}

extension ModelFolder {
  /// What may be wrong with a tiny autoencoder's pictures of this model.
  fileprivate var tinyPreviewNotices: [String] {
    guard !transformers.configuration.isOfPublishedWidth else { return [] }
    return ["the tiny autoencoder is made for the latents of the published models; previews may show wrong colours"]
  }

  /// What may be wrong with the published colours for this model.
  fileprivate var publishedColourNotices: [String] {
    guard let own = autoencoder?.configuration, own != .wan21, own != .wan22 else { return [] }
    return [
      "the colours of previews are those of the published VAE, and this one has other sizes: if they are wrong, "
        + "'wan preview-fit' computes its own"
    ]
  }
}
