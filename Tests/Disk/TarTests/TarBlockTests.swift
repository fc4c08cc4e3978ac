import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import Tar

@Suite struct TarBlockTests {
    /// A header as GNU's tar writes it, and the fields that it was asked for.
    private func header(_ format: String) throws -> TarBlock {
        let folder = try TemporaryFolder()
        try AtomicFile.write("twelve bytes", to: folder.path.appending("note"))
        let result = try ChildProcess.run([
            "tar", "-c", "--format=\(format)", "--mode=640", "--owner=ada:1234", "--group=staff:2345",
            "--mtime=@1700000000", "-C", folder.path.string, "note",
        ])
        try #require(result.outcome.isSuccess, "\(String(decoding: result.error, as: UTF8.self))")
        return try #require(TarBlock(result.output.prefix(TarBlock.byteCount)))
    }

    @Test("reads what tar(1) writes", arguments: ["ustar", "gnu"])
    func reads(format: String) throws {
        let block = try header(format)
        #expect(block.isSealed)
        #expect(!block.isZero)
        #expect(block.isPOSIX == (format == "ustar"))
        #expect(block.kind == UInt8(ascii: "0"))
        #expect(block.text(.name) == "note")
        #expect(block.number(.size) == 12)
        #expect(block.number(.permissions) == 0o640)
        #expect(block.number(.user) == 1234)
        #expect(block.number(.group) == 2345)
        #expect(block.number(.modified) == 1_700_000_000)
    }

    @Test(
        "writes what tar(1) reads, a size in octal digits or in binary", arguments: [12, 8 << 30, 1 << 40] as [Int64])
    func writes(size: Int64) throws {
        var block = TarBlock()
        block.put("note".utf8, in: .name)
        block.put(0o640, in: .permissions)
        block.put(1234, in: .user)
        block.put(2345, in: .group)
        block.put(size, in: .size)
        block.put(1_700_000_000, in: .modified)
        block.put("0".utf8, in: .kind)
        block.put("ustar  \0".utf8, in: .magic)
        block.seal()
        #expect(block.isSealed)
        #expect(block.number(.size) == size)
        // A listing needs no content: that of the largest is not there, and tar says so afterwards.
        let list = try ChildProcess.run(["tar", "-tvf", "-", "--numeric-owner", "--utc"], input: block.bytes)
        let fields = String(decoding: list.output, as: UTF8.self).split(whereSeparator: \.isWhitespace).map(String.init)
        #expect(fields == ["-rw-r-----", "1234/2345", "\(size)", "2023-11-14", "22:13", "note"])
    }

    @Test("a block that was changed is not sealed any longer")
    func damaged() throws {
        var block = try header("ustar")
        block.put("NOTE".utf8, in: .name)
        #expect(!block.isSealed)
        block.seal()
        #expect(block.isSealed)
    }

    @Test("only as many bytes as a block has are one")
    func counts() {
        #expect(TarBlock([UInt8](repeating: 0, count: 511)) == nil)
        #expect(TarBlock([UInt8](repeating: 0, count: 513)) == nil)
        #expect(TarBlock([UInt8](repeating: 0, count: 512))?.isZero == true)
        #expect(TarBlock.end.count == 1024)
    }

    @Test(
        "a number is octal or binary, and never negative or more than 63 bits",
        arguments: [
            ([0x20, 0x20, 0x37, 0x37], 0o77), ([0x37, 0x38], 7), ([], 0), ([0x20], 0),
            ([0x80, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], 1 << 56), ([0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], nil),
            ([0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], nil), ([0x80, 0, 0, 0, 0xff, 0, 0, 0, 0, 0, 0, 0], nil),
        ] as [([UInt8], Int64?)])
    func numbers(bytes: [UInt8], number: Int64?) {
        var block = TarBlock()
        block.put(bytes, in: .size)
        #expect(block.number(.size) == number)
        // Eight bytes hold no binary number that anybody means.
        block.put([0x80, 0, 0, 0, 0, 0, 0, 1], in: .permissions)
        #expect(block.number(.permissions) == nil)
    }

    @Test("text and numbers stay in their fields")
    func fields() {
        var block = TarBlock()
        block.put([UInt8](repeating: 0x61, count: 300), in: .name)
        #expect(block.text(.name).utf8.count == 100)
        #expect(block.number(.permissions) == 0)
        block.put(-5, in: .modified)
        #expect(block.number(.modified) == 0)
        block.put(.max, in: .size)
        #expect(block.number(.modified) == 0)
        #expect(block.number(.size) == .max)
    }

    @Test("data is filled up to whole blocks", arguments: [(0, 0), (1, 511), (511, 1), (512, 0), (513, 511)])
    func padding(count: Int, expected: Int) {
        #expect(TarBlock.padding(after: count) == [UInt8](repeating: 0, count: expected))
        #expect(TarBlock.padding(after: UInt64(count)).count == expected)
    }
}
