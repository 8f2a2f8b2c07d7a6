/// What scikit-image 0.26 measures of generated pictures; `scripts/fixtures/similarity.py` prints the rows.
struct SimilarityFixture: Sendable {
  let width, height, phase, otherPhase: Int
  let seed: UInt64
  let spread: Int
  let psnr, ssim: Double

  init(
    _ width: Int, _ height: Int, _ phase: Int, _ otherPhase: Int, _ seed: UInt64, _ spread: Int, psnr: Double,
    ssim: Double
  ) {
    (self.width, self.height, self.phase, self.otherPhase) = (width, height, phase, otherPhase)
    (self.seed, self.spread, self.psnr, self.ssim) = (seed, spread, psnr, ssim)
  }

  static let all: [SimilarityFixture] = [
    .init(64, 48, 0, 0, 1, 1, psnr: 49.87548878520742, ssim: 0.997328892689165),
    .init(64, 48, 0, 0, 2, 8, psnr: 34.3585207691812, ssim: 0.9131703039843474),
    .init(64, 48, 0, 1, 3, 0, psnr: 30.584772322590563, ssim: 0.8853480254710443),
    .init(33, 21, 2, 2, 4, 60, psnr: 17.329284863999096, ssim: 0.3266035566400601),
    .init(11, 11, 0, 0, 5, 4, psnr: 39.63222881637677, ssim: 0.9969098103597898),
    .init(11, 40, 1, 2, 6, 12, psnr: 27.871851590018903, ssim: 0.866433156276885),
    .init(128, 96, 3, 9, 7, 120, psnr: 11.588288346182473, ssim: 0.04368516514525858),
    .init(200, 120, 4, 4, 8, 2, psnr: 45.12563376846277, ssim: 0.9889595870671529),
  ]
}
