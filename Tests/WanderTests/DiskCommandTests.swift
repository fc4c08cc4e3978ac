import JSON
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

/// `wander disk` as it is typed: statuses and documents. What the commands do to images is tested with their library.
@Suite struct DiskCommandTests {
    let folder: TemporaryFolder
    let wander: WanderProcess

    init() throws {
        folder = try TemporaryFolder()
        wander = WanderProcess(directory: folder.path)
        let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 1000) }
        try AtomicFile.write(content, to: folder.path.appending("source.raw"))
    }

    @Test("converts, compares, checks, maps and resizes files")
    func tour() throws {
        let made = try wander.run("disk", "convert", "source.raw", "disk.qcow2", "--compress", "zstd", "--json")
        #expect(made.status == 0, "\(made.error)")
        #expect(made.json?["virtualSize"] == 300_000)
        #expect(made.json?["schema"] == 1)

        #expect(try wander.run("disk", "convert", "disk.qcow2", "copy.raw", "--json").json?["format"] == "raw")
        #expect(
            try FileSystem.read(folder.path.appending("copy.raw"))
                == FileSystem.read(folder.path.appending("source.raw")))
        #expect(
            try wander.run("disk", "convert", "disk.qcow2", "copy.img", "--to", "qcow2", "--json").json?["format"]
                == "qcow2")

        let again = try wander.run("disk", "convert", "source.raw", "disk.qcow2")
        #expect(again.status == 4)
        #expect(again.error.contains("disk.qcow2 exists already"))

        #expect(try wander.run("disk", "compare", "source.raw", "disk.qcow2").status == 0)
        let check = try wander.run("disk", "check", "disk.qcow2", "--json")
        #expect(check.status == 0)
        #expect(check.json?["sound"] == true)
        let map = try wander.run("disk", "map", "disk.qcow2", "--json")
        #expect(map.json?["extents"]?.arrayValue?.first?["kind"] == "compressed")

        let larger = try wander.run("disk", "resize", "disk.qcow2", "1GiB", "--json")
        #expect(larger.status == 0)
        #expect(larger.json?["virtualSize"] == 1_073_741_824)
        let info = try wander.run("disk", "info", "disk.qcow2", "--json")
        #expect(info.json?["images"]?.arrayValue?.first?["virtualSize"] == 1_073_741_824)
        #expect(info.json?["images"]?.arrayValue?.first?["dirty"] == false)
        let smaller = try wander.run("disk", "resize", "disk.qcow2", "1MiB")
        #expect(smaller.status == 1)
        #expect(smaller.error.contains("cannot be made smaller"))
    }

    @Test("says where two disks differ, with status 1")
    func differ() throws {
        var content = [UInt8](repeating: 7, count: 10_000)
        try AtomicFile.write(content, to: folder.path.appending("a.raw"))
        content[4321] = 8
        try AtomicFile.write(content, to: folder.path.appending("b.raw"))
        let result = try wander.run("disk", "compare", "a.raw", "b.raw", "--json")
        #expect(result.status == 1)
        #expect(result.json?["equal"] == false)
        #expect(result.json?["firstDifference"] == 4321)
    }

    @Test("finds and repairs damaged refcounts")
    func repair() throws {
        #expect(try wander.run("disk", "convert", "source.raw", "disk.qcow2").status == 0)
        let path = folder.path.appending("disk.qcow2")
        var bytes = try FileSystem.read(path)
        // The refcount table is in the second cluster, its first block in the third: 16 bits a cluster.
        bytes[2 * 65536 + 1] = 0
        try AtomicFile.write(bytes, to: path)
        let check = try wander.run("disk", "check", "disk.qcow2", "--json")
        #expect(check.status == 1)
        #expect(check.json?["refcountsTooLow"] == 1)
        let repair = try wander.run("disk", "check", "--repair", "disk.qcow2", "--json")
        #expect(repair.status == 0, "\(repair.error)")
        #expect(repair.json?["before"]?["refcountsTooLow"] == 1)
        #expect(try wander.run("disk", "check", "disk.qcow2").output == "The image is sound.\n")
    }
}
