extension CinematographyVocabulary {
  /// The words that the published prompt extension chooses from, in the order of its example prompts, and camera moves and
  /// styles as the published guide to prompts writes them.
  public static let published = CinematographyVocabulary(
    kinds: [
      Kind(.style, styles), Kind(.time, times), Kind(.lightSource, lightSources), Kind(.light, lights),
      Kind(.lightAngle, lightAngles), Kind(.tone, tones), Kind(.shot, shots), Kind(.cameraAngle, cameraAngles),
      Kind(.composition, compositions), Kind(.cameraMove, cameraMoves),
    ], mostKinds: 4)

  private typealias Word = CinematographyWord

  private static let styles = [
    Word("cinematic", english: "cinematic style", chinese: "电影风格", meaning: "A feature film."),
    Word("documentary", english: "documentary style", chinese: "纪录片风格", meaning: "Filmed as it happens."),
    Word("vintage", english: "vintage film style", chinese: "复古胶片风格", meaning: "Old film stock."),
    Word("felt", english: "felt style", chinese: "毛毡风格", meaning: "Everything is made of felt."),
    Word("clay", english: "clay style", chinese: "黏土风格", meaning: "Modelled clay, stop motion."),
    Word("puppet", english: "puppet animation style", chinese: "木偶动画风格", meaning: "Puppets on a small stage."),
    Word("3d-cartoon", english: "3D cartoon style", chinese: "3D卡通风格", meaning: "A computer-animated film."),
    Word("3d-game", english: "3D game style", chinese: "3D游戏风格", meaning: "A game's rendered world."),
    Word(
      "illustration", english: "2D illustration style", chinese: "2D插画风格", also: ["2D illustration", "二维插画", "2D插画"],
      meaning: "Drawn flat; takes no words of light and camera.", isFilm: false),
    Word(
      "anime", english: "anime style", chinese: "二次元动漫风格", also: ["Japanese anime", "2D anime", "动漫风格", "二次元"],
      meaning: "Drawn as in Japan; takes no words of light and camera.", isFilm: false),
    Word(
      "watercolor", english: "watercolor painting style", chinese: "水彩画风格",
      also: ["watercolor style", "watercolour style", "watercolor painting", "watercolour painting", "水彩画"],
      meaning: "Painted in watercolor; takes no words of light and camera.", isFilm: false),
    Word(
      "ink", english: "ink wash painting style", chinese: "水墨画风格", also: ["ink wash painting", "ink painting", "水墨画"],
      meaning: "Brush and ink; takes no words of light and camera.", isFilm: false),
    Word(
      "pixel", english: "pixel art style", chinese: "像素风格", also: ["pixel art", "pixel style"],
      meaning: "Coarse pixels; takes no words of light and camera.", isFilm: false),
    Word(
      "oil-painting", english: "oil painting style", chinese: "油画风格", also: ["oil painting", "油画"],
      meaning: "Painted in oil; takes no words of light and camera.", isFilm: false),
  ]

  private static let times = [
    Word("day", english: "day time", chinese: "白天", also: ["daytime"], meaning: "Bright sky."),
    Word(
      "night", english: "night time", chinese: "夜晚", also: ["nighttime", "at night", "night scene", "夜间", "夜里"],
      meaning: "Dark sky, lamps or the moon."),
    Word("dawn", english: "dawn time", chinese: "黎明", also: ["at dawn"], meaning: "First light, before the sun."),
    Word(
      "sunrise", english: "sunrise time", chinese: "日出", also: ["sunrise"], meaning: "The sun comes up, low and warm."),
  ]

  private static let lightSources = [
    Word("daylight", english: "daylight", chinese: "日光", meaning: "The light of the sky by day."),
    Word(
      "artificial", english: "artificial lighting", chinese: "人工光", also: ["artificial light"],
      meaning: "Lamps that were set up to light the scene."),
    Word("moonlight", english: "moonlight", chinese: "月光", also: ["moonlit"], meaning: "Pale light of the moon."),
    Word(
      "practical", english: "practical lighting", chinese: "实用光", also: ["practical light", "practical lights"],
      meaning: "Lamps that are seen in the picture."),
    Word(
      "firelight", english: "firelight", chinese: "火光", also: ["fire light"],
      meaning: "The flicker of a fire or of candles."),
    Word(
      "fluorescent", english: "fluorescent lighting", chinese: "荧光", also: ["fluorescent light", "fluorescent lights"],
      meaning: "Cool, even tubes, as in offices."),
    Word(
      "overcast", english: "overcast lighting", chinese: "阴天光", also: ["overcast light", "overcast sky"],
      meaning: "A grey sky, hardly any shadow."),
    Word(
      "sunny", english: "sunny lighting", chinese: "晴天光", also: ["sunlight", "sunlit", "sunny light"],
      meaning: "Bright sun, clear shadows."),
  ]

  private static let lights = [
    Word("soft", english: "soft lighting", chinese: "柔光", also: ["soft light"], meaning: "Shadows with gentle edges."),
    Word("hard", english: "hard lighting", chinese: "硬光", also: ["hard light"], meaning: "Shadows with sharp edges."),
  ]

  private static let lightAngles = [
    Word("top", english: "top lighting", chinese: "顶光", also: ["top light"], meaning: "Light from above."),
    Word(
      "side", english: "side lighting", chinese: "侧光", also: ["side light", "sidelight"],
      meaning: "Light from one side."),
    Word("under", english: "underlighting", chinese: "底光", also: ["under lighting"], meaning: "Light from below."),
    Word(
      "edge", english: "edge lighting", chinese: "边缘光", also: ["edge light", "rim light", "rim lighting"],
      meaning: "Light from behind, which draws the outline."),
  ]

  private static let tones = [
    Word(
      "warm", english: "warm colors", chinese: "暖色调", also: ["warm colours", "warm tones", "warm tone"],
      meaning: "Reds, oranges, yellows."),
    Word(
      "cool", english: "cool colors", chinese: "冷色调", also: ["cool colours", "cool tones", "cool tone", "cold colors"],
      meaning: "Blues, greens, violets."),
    Word(
      "mixed", english: "mixed colors", chinese: "混合色调", also: ["mixed colours", "mixed tones"],
      meaning: "Warm beside cool."),
  ]

  private static let shots = [
    Word(
      "extreme-close-up", english: "extreme close-up shot", chinese: "特写", also: ["extreme close-up"],
      meaning: "A part of a face or a thing."),
    Word("close-up", english: "close-up shot", chinese: "近景", also: ["close-up"], meaning: "A face."),
    Word(
      "medium-close-up", english: "medium close-up shot", chinese: "中近景", also: ["medium close-up"],
      meaning: "Head and shoulders."),
    Word("medium", english: "medium shot", chinese: "中景", meaning: "To the waist."),
    Word(
      "medium-wide", english: "medium wide shot", chinese: "中全景", also: ["medium long shot"], meaning: "To the knees."),
    Word(
      "wide", english: "wide shot", chinese: "全景", also: ["long shot", "full shot"],
      meaning: "The whole figure, and the place around it."),
    Word(
      "extreme-wide", english: "extreme wide shot", chinese: "极端全景", also: ["extreme long shot", "大远景"],
      meaning: "A place in which figures are small."),
  ]

  private static let cameraAngles = [
    Word(
      "over-the-shoulder", english: "over-the-shoulder shot", chinese: "过肩镜头角度拍摄", also: ["over the shoulder", "过肩镜头"],
      meaning: "Past somebody's shoulder."),
    Word(
      "low-angle", english: "low angle shot", chinese: "低角度拍摄", also: ["low angle", "低角度", "仰拍"],
      meaning: "From below: the subject looks large."),
    Word(
      "high-angle", english: "high angle shot", chinese: "高角度拍摄", also: ["high angle", "高角度"],
      meaning: "From above: the subject looks small."),
    Word(
      "dutch", english: "Dutch angle shot", chinese: "倾斜角度拍摄", also: ["Dutch angle", "tilted angle", "倾斜角度"],
      meaning: "The horizon is tilted."),
    Word("aerial", english: "aerial shot", chinese: "航拍", also: ["aerial view"], meaning: "From the air."),
    Word(
      "overhead", english: "overhead shot", chinese: "俯视角度拍摄",
      also: ["overhead view", "bird's-eye view", "top-down view", "俯视角度"],
      meaning: "From straight above."),
  ]

  private static let compositions = [
    Word(
      "center", english: "center composition", chinese: "中心构图",
      also: ["centre composition", "centered composition", "centred composition"],
      meaning: "The subject in the middle."),
    Word("balanced", english: "balanced composition", chinese: "平衡构图", meaning: "Weight evenly spread."),
    Word(
      "right-heavy", english: "right-heavy composition", chinese: "右侧重构图", also: ["right-weighted composition"],
      meaning: "Most of it on the right."),
    Word(
      "left-heavy", english: "left-heavy composition", chinese: "左侧重构图", also: ["left-weighted composition"],
      meaning: "Most of it on the left."),
    Word(
      "symmetrical", english: "symmetrical composition", chinese: "对称构图", also: ["symmetric composition"],
      meaning: "Both sides alike."),
    Word(
      "short-side", english: "short-side composition", chinese: "短边构图",
      meaning: "The subject near the edge that it looks at."),
  ]

  private static let cameraMoves = [
    Word(
      "static", english: "static camera", chinese: "固定镜头", also: ["static shot", "fixed camera", "fixed shot", "镜头固定"],
      meaning: "The camera does not move."),
    Word(
      "push-in", english: "camera pushes in", chinese: "镜头推进",
      also: ["camera push in", "push-in shot", "dolly in", "dollies in", "镜头前推"], meaning: "It comes nearer."),
    Word(
      "pull-back", english: "camera pulls back", chinese: "镜头拉远",
      also: ["camera pull back", "camera pulls out", "pull-back shot", "dolly out", "镜头后拉"], meaning: "It draws back."),
    Word(
      "pan-left", english: "camera pans left", chinese: "镜头左移",
      also: ["pans left", "pan left", "pans to the left", "镜头左摇"], meaning: "It turns to the left."),
    Word(
      "pan-right", english: "camera pans right", chinese: "镜头右移",
      also: ["pans right", "pan right", "pans to the right", "镜头右摇"], meaning: "It turns to the right."),
    Word(
      "tilt-up", english: "camera tilts up", chinese: "镜头上摇", also: ["camera tilt up", "camera tilts upward"],
      meaning: "It turns upwards."),
    Word(
      "tilt-down", english: "camera tilts down", chinese: "镜头下摇",
      also: ["camera tilt down", "camera tilts downward"], meaning: "It turns downwards."),
    Word(
      "tracking", english: "tracking shot", chinese: "跟随镜头", also: ["camera follows", "camera tracks", "镜头跟随", "跟拍"],
      meaning: "It goes along with the subject."),
    Word(
      "orbit", english: "camera orbits", chinese: "镜头环绕", also: ["orbiting shot", "orbiting camera", "环绕镜头", "环绕拍摄"],
      meaning: "It goes around the subject."),
    Word(
      "handheld", english: "handheld camera", chinese: "手持镜头",
      also: ["handheld shot", "hand-held camera", "handheld footage", "手持拍摄"],
      meaning: "It is carried, and sways a little."),
  ]
}
