import EnvFile
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import Provider

@Suite struct MachineShareTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func open(_ list: String) throws -> [MachineShare] {
        try AtomicFile.write("box: a\nshares: \(list)\n", to: folder("Wanderfile"))
        let environment = try EnvironmentLoader(.init(workingDirectory: folder.path)).load()
        return try (environment.machines.first?.shares ?? []).map {
            try MachineShare($0, in: environment.projectDirectory)
        }
    }

    @Test("a tag is the place's, so that another host folder needs no other line in the guest")
    func tags() throws {
        try FileSystem.makeDirectory(folder("a"))
        let shares = try open("[\".:/one\", \"a:/two\", \"a:/three:ro\"]")
        #expect(Set(shares.map(\.tag)).count == 3)
        #expect(try open("[\"a:/one\"]").first?.tag == shares[0].tag)
        #expect(shares.allSatisfy { $0.tag.utf8.count <= 36 && $0.tag.hasPrefix("wander-") })
        #expect(shares.map(\.isReadOnly) == [false, false, true])
        #expect(shares[1].folder == folder("a"))
    }

    @Test("a folder may be made; one that is missing, a file, or closed is told apart")
    func folders() throws {
        #expect(throws: ShareError.folderMissing(host: "new", guest: "/new")) { try open("[\"new:/new\"]") }
        #expect(try open("[{ host: new/deep, guest: /new, create: true }]").count == 1)
        #expect(try FileSystem.isDirectory(folder("new/deep")))
        _ = try folder.file("file")
        #expect(throws: ShareError.notAFolder(host: "file")) { try open("[\"file:/f\"]") }
    }

    @Test("what wander keeps is not shared, by whatever name")
    func state() throws {
        try FileSystem.makeDirectory(folder(".wander/machines"))
        #expect(try ChildProcess.run(["ln", "-s", ".wander/machines", folder("link").string]).outcome.isSuccess)
        for place in [".wander", ".wander/machines", "link"] {
            #expect(throws: ShareError.holdsState(host: place)) { try open("[\"\(place):/state\"]") }
        }
        #expect(try open("[\".:/project\"]").count == 1)
    }

    @Test("a share in a share that a guest may write to is where its name says, or refused")
    func nested() throws {
        func open(_ name: String, creates: Bool = false) throws -> MachineShare {
            let list = "[\"src:/src\", { host: \(name), guest: /inner, create: \(creates) }]"
            try AtomicFile.write("box: a\nshares: \(list)\n", to: folder("Wanderfile"))
            let environment = try EnvironmentLoader(.init(workingDirectory: folder.path)).load()
            let share = try #require(environment.machines.first?.shares.first { $0.guest == "/inner" })
            return try MachineShare(share, in: environment.projectDirectory, writable: WritableFolders([folder("src")]))
        }
        try FileSystem.makeDirectory(folder("src/data"))
        try FileSystem.makeDirectory(folder("secret/keys"))
        for (name, target) in [
            ("link", "../secret"), ("dangling", "../nowhere"), ("loop", "loop"), ("own", "data"), ("state", ".wander"),
        ] {
            #expect(try ChildProcess.run(["ln", "-s", target, folder("src/\(name)").string]).outcome.isSuccess)
        }
        try FileSystem.makeDirectory(folder("src/.wander"))
        #expect(try open("src/data").folder == folder("src/data"))
        #expect(try open("src/own").folder == folder("src/own"))
        _ = try open("src/data/new", creates: true)
        #expect(try ChildProcess.run(["ln", "-s", "src/data", folder("outside").string]).outcome.isSuccess)
        _ = try open("outside")
        for name in [
            "src/link", "src/link/keys", "src/link/new", "src/dangling", "src/dangling/new", "src/loop", "src/state",
        ] {
            #expect(throws: ShareError.leadsOut(host: name, share: folder("src").string)) {
                try open(name, creates: true)
            }
        }
        #expect(try !FileSystem.exists(folder("secret/new")) && !FileSystem.exists(folder("nowhere")))
    }

    @Test("a folder that was removed, or made again under its name, is another one")
    func identity() throws {
        try FileSystem.makeDirectory(folder("a"))
        let share = try #require(try open("[\"a:/a\"]").first)
        #expect(share.isStillThere)
        #expect(try ChildProcess.run(["mv", "\(folder("a"))", "\(folder("b"))"]).outcome.isSuccess)
        #expect(!share.isStillThere)
        try FileSystem.makeDirectory(folder("a"))
        #expect(!share.isStillThere)
    }

    @Test("what lies inside of another comes behind it")
    func order() throws {
        let shares = try open("[\".:/b/c/d\", \".:/z\", \".:/b/c\", \".:/b\"]")
        #expect(shares.byDepth.map(\.guest) == ["/b", "/z", "/b/c", "/b/c/d"])
    }
}
