import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import CloudInit

/// The disk against libarchive, which reads what others have written.
@Suite struct ISOImageTests {
    private static let image = ISOImage(
        label: "cidata",
        files: [
            "meta-data": Array("instance-id: one\n".utf8), "network-config": [], "vendor-data": [0x23],
            "user-data": (0..<5000).map { UInt8(truncatingIfNeeded: $0) },
        ])

    @Test("another reader finds the files by their names, with their bytes")
    func read() throws {
        let folder = try TemporaryFolder()
        let file = try folder.file("seed.img", Self.image.bytes)
        let list = try ChildProcess.run(["bsdtar", "-tvf", file.string])
        #expect(list.outcome.isSuccess)
        let lines = String(decoding: list.output, as: UTF8.self).split(separator: "\n")
        let names = lines.compactMap { $0.split(separator: " ").last.map(String.init) }
        #expect(names.sorted() == [".", "meta-data", "network-config", "user-data", "vendor-data"])
        // Everybody may read them and nobody write: the guest's system has users.
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("-r--r--r--") })
        for (name, content) in Self.image.files {
            let result = try ChildProcess.run(["bsdtar", "-xOf", file.string, name])
            #expect(result.output == content, "\(name)")
        }
    }

    @Test("its label is where programs look for it, and its size is whole sectors")
    func label() {
        let bytes = Self.image.bytes
        // ECMA-119, section 8.4: the volume identifier is at byte 40 of the descriptor in sector 16.
        #expect(bytes[16 * 2048..<16 * 2048 + 6].elementsEqual([1] + Array("CD001".utf8)))
        #expect(
            bytes[16 * 2048 + 40..<16 * 2048 + 72].elementsEqual(
                Array("cidata".utf8) + Array(repeating: 0x20, count: 26)))
        #expect(bytes.count == (21 + 1 + 3 + 1) * 2048)
        #expect(bytes[16 * 2048 + 80] == 26)
    }

    @Test("the same files give the same bytes") func stable() { #expect(Self.image.bytes == Self.image.bytes) }
}
