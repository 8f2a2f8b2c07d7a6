// The published words as types, so that a compiler knows them; ``CinematographyVocabulary/published`` says what they mean.

extension Cinematography {
  /// ``CinematographyKind/style``
  public enum Style: String, Sendable, Hashable, CaseIterable {
    /// Styles that are filmed.
    case cinematic, documentary, vintage, felt, clay, puppet
    /// Made by a computer, and lit as a film is.
    case cartoon3D = "3d-cartoon"
    /// Made by a computer, and lit as a film is.
    case game3D = "3d-game"
    /// Drawn: no film, and no words of light and camera.
    case illustration, anime, watercolor, ink, pixel
    /// Drawn: no film, and no words of light and camera.
    case oilPainting = "oil-painting"
  }

  /// ``CinematographyKind/time``
  public enum Time: String, Sendable, Hashable, CaseIterable {
    /// Times of the day.
    case day, night, dawn, sunrise
  }

  /// ``CinematographyKind/lightSource``
  public enum LightSource: String, Sendable, Hashable, CaseIterable {
    /// Where light comes from.
    case daylight, artificial, moonlight, practical, firelight, fluorescent, overcast, sunny
  }

  /// ``CinematographyKind/light``
  public enum Light: String, Sendable, Hashable, CaseIterable {
    /// Its intensity.
    case soft, hard
  }

  /// ``CinematographyKind/lightAngle``
  public enum LightAngle: String, Sendable, Hashable, CaseIterable {
    /// The side that light falls from.
    case top, side, under, edge
  }

  /// ``CinematographyKind/tone``
  public enum Tone: String, Sendable, Hashable, CaseIterable {
    /// Of the colours.
    case warm, cool, mixed
  }

  /// ``CinematographyKind/shot``
  public enum Shot: String, Sendable, Hashable, CaseIterable {
    /// A part of a face or a thing.
    case extremeCloseUp = "extreme-close-up"
    /// A face.
    case closeUp = "close-up"
    /// Head and shoulders.
    case mediumCloseUp = "medium-close-up"
    /// To the waist.
    case medium
    /// To the knees.
    case mediumWide = "medium-wide"
    /// The whole figure, with the place around it.
    case wide
    /// A place in which figures are small.
    case extremeWide = "extreme-wide"
  }

  /// ``CinematographyKind/cameraAngle``
  public enum CameraAngle: String, Sendable, Hashable, CaseIterable {
    /// Past somebody's shoulder.
    case overTheShoulder = "over-the-shoulder"
    /// From below.
    case lowAngle = "low-angle"
    /// From above.
    case highAngle = "high-angle"
    /// Tilted, from the air, from straight above.
    case dutch, aerial, overhead
  }

  /// ``CinematographyKind/composition``
  public enum Composition: String, Sendable, Hashable, CaseIterable {
    /// In the middle, evenly spread, alike on both sides.
    case center, balanced, symmetrical
    /// Most on the right.
    case rightHeavy = "right-heavy"
    /// Most on the left.
    case leftHeavy = "left-heavy"
    /// Near the edge that the subject looks at.
    case shortSide = "short-side"
  }

  /// ``CinematographyKind/cameraMove``
  public enum CameraMove: String, Sendable, Hashable, CaseIterable {
    /// Not at all.
    case fixed = "static"
    /// With the subject, around it, in a hand.
    case tracking, orbit, handheld
    /// Towards the subject.
    case pushIn = "push-in"
    /// Away from it.
    case pullBack = "pull-back"
    /// Turning to the left.
    case panLeft = "pan-left"
    /// Turning to the right.
    case panRight = "pan-right"
    /// Turning upwards.
    case tiltUp = "tilt-up"
    /// Turning downwards.
    case tiltDown = "tilt-down"
  }
}

// What is chosen of the published words; `nil` where nothing is, or a word of a model's own.
extension Cinematography {
  private func word<Word: RawRepresentable<String>>(_ kind: CinematographyKind) -> Word? {
    self[kind].flatMap { Word(rawValue: $0) }
  }

  /// What the picture is.
  public var style: Style? {
    get { word(.style) }
    set { self[.style] = newValue?.rawValue }
  }
  /// The time of the day.
  public var time: Time? {
    get { word(.time) }
    set { self[.time] = newValue?.rawValue }
  }
  /// Where light comes from.
  public var lightSource: LightSource? {
    get { word(.lightSource) }
    set { self[.lightSource] = newValue?.rawValue }
  }
  /// The light's intensity.
  public var light: Light? {
    get { word(.light) }
    set { self[.light] = newValue?.rawValue }
  }
  /// From which side it falls.
  public var lightAngle: LightAngle? {
    get { word(.lightAngle) }
    set { self[.lightAngle] = newValue?.rawValue }
  }
  /// Of the colours.
  public var tone: Tone? {
    get { word(.tone) }
    set { self[.tone] = newValue?.rawValue }
  }
  /// How much of the subject is seen.
  public var shot: Shot? {
    get { word(.shot) }
    set { self[.shot] = newValue?.rawValue }
  }
  /// From where the camera looks.
  public var cameraAngle: CameraAngle? {
    get { word(.cameraAngle) }
    set { self[.cameraAngle] = newValue?.rawValue }
  }
  /// Where the subject stands in the picture.
  public var composition: Composition? {
    get { word(.composition) }
    set { self[.composition] = newValue?.rawValue }
  }
  /// How the camera moves.
  public var cameraMove: CameraMove? {
    get { word(.cameraMove) }
    set { self[.cameraMove] = newValue?.rawValue }
  }
}
