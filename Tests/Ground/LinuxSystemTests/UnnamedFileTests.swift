import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@Suite struct UnnamedFileTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    @Test("a file has no name until it is published, and takes none that is taken")
    func publish() throws {
        let path = folder.path.appending("file")
        let file = try UnnamedFile(in: folder.path, name: "file")
        try file.descriptor.writeAll("one")
        #expect(try !FileSystem.exists(path))
        try file.publish(as: path, replace: false)
        #expect(try FileSystem.list(folder.path) == ["file"])

        let second = try UnnamedFile(in: folder.path, name: "file")
        try second.descriptor.writeAll("two")
        #expect(throws: SystemError.self) { try second.publish(as: path, replace: false) }
        #expect(try FileSystem.read(path) == Array("one".utf8))
        try second.publish(as: path, replace: true)
        #expect(try FileSystem.read(path) == Array("two".utf8))
        #expect(try FileSystem.list(folder.path) == ["file"])
    }

    @Test("it can be opened again; a link to nothing is a name that is taken")
    func links() throws {
        let path = folder.path.appending("file")
        #expect(try ChildProcess.run(["ln", "-s", "nowhere", path.string]).outcome.isSuccess)
        let file = try UnnamedFile(in: folder.path, name: "file")
        try OwnedDescriptor.open(file.path, .writeOnly).writeAll("one")
        #expect(throws: SystemError.self) { try file.publish(as: path, replace: false) }
        try file.publish(as: path, replace: true)
        #expect(try FileSystem.status(path, followLinks: false)?.kind == .regular)
        #expect(try FileSystem.read(path) == Array("one".utf8))
        #expect(try FileSystem.list(folder.path) == ["file"])
    }

    @Test("one that is given up leaves nothing")
    func abandoned() throws {
        do {
            let file = try UnnamedFile(in: folder.path, name: "file")
            try file.descriptor.writeAll("half")
        }
        #expect(try FileSystem.list(folder.path).isEmpty)
    }
}
