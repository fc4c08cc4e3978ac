import LinuxSystem
import SSHTestServer
import SystemPackage
import TestSupport
import Testing

@testable import SSH

/// The guest may send any archive.
@Suite struct TarReaderTests {
    let directory: TemporaryFolder
    var inside: FilePath { directory.path.appending("inside") }
    init() throws { directory = try TemporaryFolder() }

    /// A header by the ustar table, not by the code under test.
    private func entry(
        _ name: String, type: String = "0", link: String = "", content: [UInt8] = [], mode: String = "0000644"
    ) -> [UInt8] {
        func field(_ text: String, _ count: Int) -> [UInt8] {
            Array(text.utf8.prefix(count)) + [UInt8](repeating: 0, count: max(0, count - text.utf8.count))
        }
        let size = String(content.count, radix: 8)
        var block = field(name, 100) + field(mode, 8) + field("0", 8) + field("0", 8) + field(size, 12) + field("0", 12)
        block += Array("        ".utf8) + field(type, 1) + field(link, 100) + Array("ustar\0".utf8) + Array("00".utf8)
        block += [UInt8](repeating: 0, count: 512 - block.count)
        let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
        block.replaceSubrange(148..<156, with: field(sum, 8))
        return block + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    private func unpack(_ archive: [UInt8]) throws {
        var reader = try TarReader(into: inside)
        // In pieces that fit no boundary.
        var rest = archive[...]
        while !rest.isEmpty {
            try reader.consume(rest.prefix(77))
            rest = rest.dropFirst(77)
        }
        try reader.finish()
    }

    @Test("nothing lands outside the folder", arguments: ["../outside", "a/../../outside", ".."])
    func traversal(name: String) throws {
        #expect(throws: SSHError.self) { try unpack(entry(name, content: [1])) }
        #expect(try FileSystem.list(directory.path) == ["inside"])
    }

    @Test("an absolute name is taken as a relative one")
    func absolute() throws {
        try unpack(entry("/etc/wander-test", content: [1]))
        #expect(try FileSystem.exists(inside.appending("etc").appending("wander-test")))
    }

    @Test("a link in the archive is not followed")
    func throughLink() throws {
        let archive = entry("door", type: "2", link: "..") + entry("door/outside", content: [1])
        #expect(throws: SSHError.self) { try unpack(archive) }
        #expect(try FileSystem.list(directory.path) == ["inside"])
        // A file takes the place of a link instead of being written through it.
        try unpack(entry("over", type: "2", link: "../outside") + entry("over", content: [1]))
        #expect(try FileSystem.list(directory.path) == ["inside"])
        #expect(try FileSystem.status(inside.appending("over"), followLinks: false)?.kind == .regular)
    }

    @Test("a hard link leads to a file of the archive only")
    func hardLink() throws {
        try unpack(entry("one", content: [1, 2]) + entry("two", type: "1", link: "one"))
        #expect(try FileSystem.read(inside.appending("two")) == [1, 2])
        #expect(throws: SSHError.self) { try unpack(entry("three", type: "1", link: "../../etc/passwd")) }
    }

    @Test("set-user-id bits stay in the guest, devices are refused")
    func privileges() throws {
        try unpack(entry("program", content: [1], mode: "0006755"))
        #expect(try FileSystem.status(inside.appending("program"))?.permissions == 0o755)
        #expect(throws: SSHError.transferFailed(path: "device", reason: "it is neither a file, a folder nor a link")) {
            try unpack(entry("device", type: "4"))
        }
    }

    @Test("an archive that ends early or has a broken header is refused")
    func damaged() throws {
        let whole = entry("file", content: [UInt8](repeating: 7, count: 600))
        for count in [1, 511, 512, 513, 1100, whole.count - 1] {
            #expect(throws: SSHError.self) { try unpack(Array(whole.prefix(count))) }
        }
        var broken = whole
        broken[3] ^= 1
        #expect(throws: SSHError.self) { try unpack(broken) }
    }

    @Test("no header traps, whatever its bytes", arguments: 0..<200)
    func noise(round: Int) throws {
        var archive = entry("file", content: [1, 2, 3])
        let noise = randomBytes(count: 24)
        for index in stride(from: 0, to: 24, by: 3) {
            archive[(Int(noise[index]) * 256 + Int(noise[index + 1])) % 512] = noise[index + 2]
        }
        // With the checksum made right again, so that the rest is looked at.
        archive.replaceSubrange(148..<156, with: Array("        ".utf8))
        let sum = String(archive[..<512].reduce(0) { $0 + Int($1) }, radix: 8)
        archive.replaceSubrange(148..<156, with: Array(sum.utf8) + [UInt8](repeating: 0, count: 8 - sum.utf8.count))
        try? unpack(archive)
        #expect(try FileSystem.list(directory.path) == ["inside"])
    }

    @Test(
        "reads what tar and bsdtar write",
        arguments: [["tar", "--format=gnu"], ["tar", "--format=posix"], ["bsdtar", "--format=pax"]])
    func peers(program: [String]) throws {
        let source = directory.path.appending("source")
        let long = String(repeating: "name", count: 40)
        try FileSystem.makeDirectory(source.appending(long))
        try AtomicFile.write("text", to: source.appending(long).appending(long))
        try AtomicFile.write("\u{e4}", to: source.appending("\u{e4}"))
        let result = try ChildProcess.run(program + ["-cf", "-", "-C", source.string, "."])
        try #require(result.outcome.isSuccess)
        try unpack(result.output)
        #expect(try FileSystem.read(inside.appending(long).appending(long)) == Array("text".utf8))
        #expect(try FileSystem.list(inside) == [long, "\u{e4}"])
    }
}
