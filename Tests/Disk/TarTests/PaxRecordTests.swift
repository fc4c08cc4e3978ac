import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import Tar

@Suite struct PaxRecordTests {
    @Test("a record's length counts itself", arguments: 1...120)
    func lengths(count: Int) throws {
        let value = String(repeating: "v", count: count)
        let bytes = PaxRecords.encode([("path", value)])
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(Int(text.prefix { $0 != " " }) == bytes.count)
        #expect(text.hasSuffix(" path=\(value)\n"))
        #expect(PaxRecords.decode(bytes).map(\.value) == [value])
    }

    @Test("reads the long name that tar(1) writes")
    func longName() throws {
        let folder = try TemporaryFolder()
        let name = String(repeating: "ä", count: 120)
        try AtomicFile.write("", to: folder.path.appending(name))
        let result = try ChildProcess.run(["tar", "-c", "--format=pax", "-C", folder.path.string, name])
        try #require(result.outcome.isSuccess)
        let block = try #require(TarBlock(result.output.prefix(TarBlock.byteCount)))
        #expect(block.kind == UInt8(ascii: "x"))
        let size = try #require(block.number(.size))
        let records = PaxRecords.decode(result.output.dropFirst(TarBlock.byteCount).prefix(Int(size)))
        #expect(records.first { $0.key == "path" }?.value == name)
    }

    @Test(
        "what is damaged ends the records, and costs those before it nothing",
        arguments: ["", "x", "999 path=a\n", "-3 a=b\n", "0 a=b\n", "2 \n", "99999999999999999999 a=b\n", "7"])
    func damaged(end: String) {
        let good = PaxRecords.encode([("path", "a b=c"), ("size", "12")])
        let records = PaxRecords.decode(good + Array(end.utf8))
        #expect(records.map(\.key) == ["path", "size"])
        #expect(records.map(\.value) == ["a b=c", "12"])
    }

    @Test("a record without a value is left out")
    func withoutValue() {
        let records = PaxRecords.decode(Array("8 noval\n8 a=two\n".utf8))
        #expect(records.map(\.key) == ["a"])
    }
}
