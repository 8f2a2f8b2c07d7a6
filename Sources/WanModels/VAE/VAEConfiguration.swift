public import Tensors

/// The structure of a Wan VAE, read off its tensors' names and shapes: 2.1 and 2.2 alike, at any width.
public struct VAEConfiguration: Sendable, Hashable {
  /// One level of the encoder or decoder: residual blocks, then a change of size unless it is the last.
  public struct Stage: Sendable, Hashable {
    /// Checkpoint names of the residual blocks, relative to the encoder or decoder.
    public let blocks: [String]
    /// What ends the stage; `nil` in the last.
    public let resample: Resample?
    /// Channels in and out.
    public let inputs, outputs: Int
  }

  /// The change of size that ends a stage.
  public struct Resample: Sendable, Hashable {
    /// Its checkpoint name, relative to the encoder or decoder.
    public let path: String
    /// Whether time changes along with rows and columns.
    public let isTemporal: Bool
    /// Channels out of the spatial convolution.
    public let outputs: Int
  }

  /// Levels in order of running: the encoder's from fine to coarse, the decoder's back.
  public let encoder, decoder: [Stage]
  /// Latent channels (z).
  public let latentChannels: Int
  /// Channels that the encoder's first convolution takes: 3, or 12 with 2x2 patches.
  public let imageChannels: Int
  /// Whether stages have the parameter-free shortcuts of 2.2.
  public let hasShortcuts: Bool
  /// Widths after the first convolutions.
  public let encoderWidth, decoderWidth: Int

  /// Rows and columns that are folded into channels: 1, or 2 in 2.2.
  public var patch: Int { imageChannels == 12 ? 2 : 1 }

  /// Frames, rows and columns of video per latent entry.
  public var stride: (time: Int, space: Int) {
    let resamples = encoder.compactMap(\.resample)
    return (
      resamples.reduce(1) { $1.isTemporal ? $0 * 2 : $0 },
      resamples.reduce(patch) { total, _ in total * 2 }
    )
  }

  /// [C, T, h, w] of the latents of a clip, whose extents are those that a plan accepts.
  public func latentShape(frames: Int, height: Int, width: Int) -> Shape {
    latents.shape(frames: frames, height: height, width: width)
  }

  /// How its latents lie over a clip.
  public var latents: LatentGeometry {
    LatentGeometry(channels: latentChannels, time: stride.time, space: stride.space)
  }

  /// Subtracted from and divided out of the latents, per channel; published constants for z = 16 and 48.
  public var normalisation: (mean: [Float], std: [Float]) {
    switch latentChannels {
    case 16: (LatentStatistics.mean16, LatentStatistics.std16)
    case 48: (LatentStatistics.mean48, LatentStatistics.std48)
    default:
      (Array(repeating: 0, count: latentChannels), Array(repeating: 1, count: latentChannels))
    }
  }
}

extension VAEConfiguration {
  /// The structure by a checkpoint's published names and shapes.
  ///
  /// - Throws: `WeightError` when a tensor is missing or has the wrong rank, the encoder takes neither 3 nor 12
  ///   channels, or there are more stages than any model has.
  public init(reading source: any WeightSource) throws(WeightError) {
    let first = try source.shape("encoder.conv1.weight", rank: 5)
    let last = try source.shape("decoder.conv1.weight", rank: 5)
    encoderWidth = first[0]
    decoderWidth = last[0]
    imageChannels = first[1]
    latentChannels = last[1]
    hasShortcuts = source.names.contains { $0.hasPrefix("encoder.downsamples.0.downsamples.") }
    encoder = try Self.stages(of: "encoder", "downsamples", nested: hasShortcuts, width: encoderWidth, in: source)
    decoder = try Self.stages(of: "decoder", "upsamples", nested: hasShortcuts, width: decoderWidth, in: source)
    guard imageChannels == 3 || imageChannels == 12 else {
      throw .misshapen(
        name: "encoder.conv1.weight", expected: "3 or 12 input channels", found: first.description,
        location: source.location)
    }
    try checkStructure(location: source.location)
  }

  /// Both halves must scale alike, and the shortcuts of 2.2 must come out even.
  private func checkStructure(location: String) throws(WeightError) {
    for (name, stages) in [("encoder.downsamples", encoder), ("decoder.upsamples", decoder)] {
      let resamples = stages.count { $0.resample != nil }
      guard !stages.isEmpty, resamples <= Self.mostResamples else {
        throw .unreadable(
          name: name, location: location,
          reason: "\(stages.count) stages, \(resamples) of which change the size; published models have 4 and 3")
      }
    }
    let (down, up) = (Self.scale(encoder), Self.scale(decoder))
    guard down == up else {
      throw .unreadable(
        name: "decoder.upsamples", location: location,
        reason: "enlarges by \(up.time) in time and \(up.space) in space, the encoder reduces by \(down.time) and "
          + "\(down.space); is the checkpoint complete?")
    }
    guard hasShortcuts else { return }
    for (half, stages) in [("encoder", encoder), ("decoder", decoder)] {
      for stage in stages where !stage.hasEvenShortcut(enlarging: half == "decoder") {
        throw .unreadable(
          name: "\(half).\(stage.resample?.path ?? stage.blocks.last ?? "")", location: location,
          reason: "no shortcut leads from \(stage.inputs) to \(stage.resample?.outputs ?? stage.outputs) channels")
      }
    }
  }

  private static func scale(_ stages: [Stage]) -> (time: Int, space: Int) {
    stages.compactMap(\.resample).reduce((1, 1)) { ($1.isTemporal ? $0.0 * 2 : $0.0, $0.1 * 2) }
  }

  /// Sizes double with each: what is computed of more would be beyond any clip, and at last beyond any number.
  private static let mostResamples = 6
  /// Of `half.list.i` without and with lists inside, and of the lists inside; the published models have up to 15, 4 and 4.
  private static let (mostBlocks, mostLevels, mostInLevel) = (64, 8, 16)

  /// The paths of all blocks: in one group (2.1), or a group for each level (2.2).
  private static func groups(
    of half: String, _ list: String, nested: Bool, in source: any WeightSource
  ) throws(WeightError) -> [[String]] {
    let top = try children(of: list, in: half, atMost: nested ? mostLevels : mostBlocks, source)
    guard nested else { return [top] }
    var groups: [[String]] = []
    for level in top { groups.append(try children(of: "\(level).\(list)", in: half, atMost: mostInLevel, source)) }
    return groups
  }

  /// `list.0`, `list.1`, ... below a half.
  private static func children(
    of list: String, in half: String, atMost limit: Int, _ source: any WeightSource
  ) throws(WeightError) -> [String] {
    let count = source.countChildren(of: "\(half).\(list)")
    guard count <= limit else {
      throw .unreadable(
        name: "\(half).\(list).\(limit)", location: source.location, reason: "\(count) are more than any model has")
    }
    return (0..<count).map { "\(list).\($0)" }
  }

  /// Walks `half.list.i` (2.1) or `half.list.i.list.j` (2.2) in order and cuts it into stages.
  private static func stages(
    of half: String, _ list: String, nested: Bool, width: Int, in source: any WeightSource
  ) throws(WeightError) -> [Stage] {
    let groups = try groups(of: half, list, nested: nested, in: source)
    var stages: [Stage] = []
    var width = width
    for group in groups {
      var blocks: [String] = []
      var inputs = width
      for path in group {
        if source.descriptor("\(half).\(path).resample.1.weight") != nil {
          let outputs = try source.shape("\(half).\(path).resample.1.weight", rank: 4)[0]
          let isTemporal = source.descriptor("\(half).\(path).time_conv.weight") != nil
          let resample = Resample(path: path, isTemporal: isTemporal, outputs: outputs)
          stages.append(Stage(blocks: blocks, resample: resample, inputs: inputs, outputs: width))
          (blocks, width, inputs) = ([], outputs, outputs)
        } else {
          width = try source.shape("\(half).\(path).residual.2.weight", rank: 5)[0]
          blocks.append(path)
        }
      }
      if !blocks.isEmpty { stages.append(Stage(blocks: blocks, resample: nil, inputs: inputs, outputs: width)) }
    }
    return stages
  }
}

extension VAEConfiguration.Stage {
  /// Whether averaging or repeating whole groups of channels leads from the stage's input to its output.
  fileprivate func hasEvenShortcut(enlarging: Bool) -> Bool {
    let result = resample?.outputs ?? outputs
    let factor = resample.map { $0.isTemporal ? 8 : 4 } ?? 1
    if enlarging { return resample == nil || result * factor % inputs == 0 }
    return inputs * factor % result == 0
  }
}

/// Mean and deviation of each latent channel over the training clips, as published with the two VAEs.
enum LatentStatistics {
  static let mean16: [Float] = [
    -0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508, 0.4134, -0.0715, 0.5517, -0.3632,
    -0.1922, -0.9497, 0.2503, -0.2921,
  ]
  static let std16: [Float] = [
    2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743, 3.2687, 2.1526, 2.8652, 1.5579, 1.6382,
    1.1253, 2.8251, 1.9160,
  ]
  static let mean48: [Float] = [
    -0.2289, -0.0052, -0.1323, -0.2339, -0.2799, 0.0174, 0.1838, 0.1557, -0.1382, 0.0542, 0.2813, 0.0891,
    0.1570, -0.0098, 0.0375, -0.1825, -0.2246, -0.1207, -0.0698, 0.5109, 0.2665, -0.2108, -0.2158, 0.2502,
    -0.2055, -0.0322, 0.1109, 0.1567, -0.0729, 0.0899, -0.2799, -0.1230, -0.0313, -0.1649, 0.0117, 0.0723,
    -0.2839, -0.2083, -0.0520, 0.3748, 0.0152, 0.1957, 0.1433, -0.2944, 0.3573, -0.0548, -0.1681, -0.0667,
  ]
  static let std48: [Float] = [
    0.4765, 1.0364, 0.4514, 1.1677, 0.5313, 0.4990, 0.4818, 0.5013, 0.8158, 1.0344, 0.5894, 1.0901, 0.6885,
    0.6165, 0.8454, 0.4978, 0.5759, 0.3523, 0.7135, 0.6804, 0.5833, 1.4146, 0.8986, 0.5659, 0.7069, 0.5338,
    0.4889, 0.4917, 0.4069, 0.4999, 0.6866, 0.4093, 0.5709, 0.6065, 0.6415, 0.4944, 0.5726, 1.2042, 0.5458,
    1.6887, 0.3971, 1.0600, 0.3943, 0.5537, 0.5444, 0.4089, 0.7468, 0.7744,
  ]
}
