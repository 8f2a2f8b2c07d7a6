import Files

/// A folder of pictures.
public enum PictureFolder {
  private static let endings: Set = [
    ".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".qoi", ".ppm", ".pgm", ".heic", ".heif", ".avif",
  ]

  /// The paths of what is a picture by its name, in the order of names, 2 before 10; what is hidden is none.
  ///
  /// - Throws: `cannotReadClip` for a folder that cannot be read, or holds no pictures.
  public static func pictures(in folder: String) throws(MediaError) -> [String] {
    let names: [String]
    do { names = try FolderNames(path: folder).names } catch {
      throw .cannotReadClip(path: folder, reason: "\(error)")
    }
    let pictures = names.filter { !$0.hasPrefix(".") && endings.contains(Paths.parts(of: $0).ending.lowercased()) }
    guard !pictures.isEmpty else { throw .cannotReadClip(path: folder, reason: "the folder holds no pictures") }
    return pictures.map { (key: NameOrder($0), name: $0) }.sorted { $0.key < $1.key }
      .map { Paths.join(folder, $0.name) }
  }
}
