import CDigests
import TestSupport
import Testing

@testable import Hub

@Suite("Digests") struct DigestTests {
  @Test(
    "are those of the standard's examples",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
      ),
    ])
  func standard(_ text: String, _ digest: String) {
    #expect(Digest(.sha256, of: Array(text.utf8)).hexadecimal == digest)
  }

  @Test("of small files are git's names")
  func git() throws {
    #expect(Digest(.sha1, of: Array("abc".utf8)).hexadecimal == "a9993e364706816aba3e25717850c26c9cd0d89d")
    let identity = try #require(BlobIdentity(git: "ce013625030ba8dba906f756967f9e9ca394464a"))
    var digest = identity.start(size: 6)
    digest.add(Array("hello\n".utf8).span)
    #expect(digest.hexadecimal == identity.name)
  }

  @Test("do not depend on how the bytes are cut")
  func pieces() {
    var random = SeededGenerator(seed: 5)
    let bytes = (0..<3000).map { _ in UInt8.random(in: 0...255, using: &random) }
    let whole = Digest(.sha256, of: bytes).hexadecimal
    for _ in 0..<100 {
      var digest = Digest(.sha256)
      var start = 0
      while start < bytes.count {
        let end = min(start + Int.random(in: 0...200, using: &random), bytes.count)
        digest.add(bytes.span.extracting(start..<end))
        start = end
      }
      #expect(digest.hexadecimal == whole)
    }
  }

  @Test("are the same with the processor's own instructions and without")
  func portable() {
    var random = SeededGenerator(seed: 6)
    let blocks = (0..<64 * 9).map { _ in UInt8.random(in: 0...255, using: &random) }
    var (one, other): ([UInt32], [UInt32]) = ([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4, 5, 6, 7, 8])
    unsafe wan_sha256_blocks(&one, blocks, 9)
    unsafe wan_sha256_blocks_portable(&other, blocks, 9)
    #expect(one == other)
  }
}
