import Glibc
import LinuxSystem
import SSH
import SSHTestServer
import SystemPackage
import TestSupport
import Testing

/// Files and folders, to a guest and back.
@Suite struct TransferTests {
    let key: SSHKeyPair
    let directory: TemporaryFolder
    init() throws {
        key = try SSHKeyPair.generate(comment: "test")
        directory = try TemporaryFolder()
    }

    /// A folder with all that a tree may hold.
    private func makeTree() throws -> FilePath {
        let tree = directory.path.appending("tree")
        let long = String(repeating: "a-long-name-", count: 20)
        try FileSystem.makeDirectory(tree.appending("sub").appending("empty"), permissions: 0o750)
        try FileSystem.makeDirectory(tree.appending("deep").appending(long).appending(long))
        try AtomicFile.write([], to: tree.appending("nothing"))
        try AtomicFile.write(
            randomBytes(count: 300_001), to: tree.appending("sub").appending("binary"), permissions: 0o640)
        try AtomicFile.write("#!/bin/sh\n", to: tree.appending("run me.sh"), permissions: 0o755)
        try AtomicFile.write("'", to: tree.appending("it's -- \"odd\"\n$name"))
        try AtomicFile.write("deep", to: tree.appending("deep").appending(long).appending(long).appending(long))
        #expect(symlink("run me.sh", tree.appending("link").string) == 0)
        #expect(symlink("/nowhere/" + long, tree.appending("sub").appending("dangling").string) == 0)
        #expect(chmod(tree.appending("run me.sh").string, 0o755) == 0)
        #expect(chmod(tree.appending("sub").string, 0o500) == 0)
        return tree
    }

    /// Name, type, mode and content of all below a folder, by tools that are not under test.
    private func listing(_ folder: FilePath) throws -> String {
        let script = """
            cd "$1" && find . -mindepth 1 -printf '%p %y %m %l\\n' | LC_ALL=C sort
            find . -type f -exec sha256sum {} + | LC_ALL=C sort
            """
        let result = try ChildProcess.run(["sh", "-c", script, "sh", folder.string])
        try #require(result.outcome.isSuccess)
        return String(decoding: result.output, as: UTF8.self)
    }

    @Test("a folder's contents arrive and come back unchanged", arguments: TestServer.kinds)
    func folder(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        let session = try server.logIn(key)
        let tree = try makeTree()
        let there = directory.path.appending("new").appending("there")
        var sent: [UInt64] = []
        try session.upload(tree, to: there.string) { sent.append($0) }
        #expect(try listing(there) == listing(tree))
        #expect(sent == sent.sorted() && (sent.last ?? 0) > 300_001)
        let back = directory.path.appending("back")
        try session.download(there.string, to: back)
        #expect(try listing(back) == listing(tree))
        // Onto what is there already; a folder that is read-only takes nothing, except from root.
        for copy in [tree, there, back] { try FileSystem.setPermissions(copy.appending("sub"), 0o750) }
        try session.upload(tree, to: there.string)
        #expect(try listing(there) == listing(tree))
    }

    @Test("a folder goes into a folder that is there by its name, and becomes one that is not", arguments: ["", "/"])
    func named(slash: String) throws {
        let server = try TestServer(accepting: [key.publicKey])
        let session = try server.logIn(key)
        let tree = directory.path.appending("tree")
        try FileSystem.makeDirectory(tree.appending("sub"))
        try AtomicFile.write("content", to: tree.pushing("sub/file"))
        var options = UploadOptions()
        options.name = "tree"
        try session.upload(tree, to: "~/new\(slash)", options)
        #expect(try FileSystem.list(server.home.appending("new")) == ["sub"])
        try session.upload(tree, to: "~/new\(slash)", options)
        #expect(try FileSystem.list(server.home.appending("new")).sorted() == ["sub", "tree"])
        #expect(try listing(server.home.pushing("new/tree")) == listing(tree))
        let back = directory.path.appending("back")
        try session.download("~/new/tree\(slash)", to: back, named: "tree")
        #expect(try listing(back) == listing(tree))
        try session.download("~/new/tree\(slash)", to: back, named: "tree")
        #expect(try FileSystem.list(back).sorted() == ["sub", "tree"])
        #expect(try listing(back.appending("tree")) == listing(tree))
    }

    @Test("a file is read piece by piece, and a folder is refused")
    func reading() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let session = try server.logIn(key)
        let content = randomBytes(count: 300_000)
        try AtomicFile.write(content, to: server.home.appending("-a file"))
        var read: [UInt8] = []
        try session.read("~/-a file") { read += $0 }
        #expect(read == content)
        #expect(
            throws: SSHError.transferFailed(path: "/missing", reason: "there is no such file or folder in the guest")
        ) {
            try session.read("/missing") { _ in }
        }
        let reason = "it is a folder; only a file can go to standard output"
        #expect(throws: SSHError.transferFailed(path: "~", reason: reason)) { try session.read("~") { _ in } }
    }

    @Test("a file keeps its mode and contents both ways", arguments: TestServer.kinds, [0, 1, 65_536, 3_000_000])
    func file(kind: TestServer.Kind, size: Int) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        let session = try server.logIn(key)
        let file = directory.path.appending("a file")
        let content = randomBytes(count: size)
        try AtomicFile.write(content, to: file)
        try FileSystem.setPermissions(file, 0o741)
        try session.upload(file, to: "~/sub/dir/")
        let there = server.home.appending("sub").appending("dir").appending("a file")
        #expect(try FileSystem.read(there) == content)
        #expect(try FileSystem.status(there)?.permissions == 0o741)
        try session.upload(file, to: "~/sub/dir/named")
        #expect(try FileSystem.list(there.removingLastComponent()) == ["a file", "named"])
        let back = directory.path.appending("back")
        try session.download("~/sub/dir/a file", to: back)
        #expect(try FileSystem.read(back) == content)
        if size > 0 { #expect(try FileSystem.status(back)?.permissions == 0o741) }
        try FileSystem.makeDirectory(directory.path.appending("into"))
        try session.download("~/sub/dir/named", to: directory.path.appending("into"))
        #expect(try FileSystem.list(directory.path.appending("into")) == ["named"])
    }

    @Test("bytes replace a file, and a link stays a link")
    func bytes() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let session = try server.logIn(key)
        let file = server.home.appending("file")
        try session.upload(Array("one".utf8), to: "~/file", UploadOptions(permissions: 0o600))
        try session.upload(Array("two".utf8), to: file.string, UploadOptions(permissions: 0o600))
        #expect(try FileSystem.read(file) == Array("two".utf8))
        #expect(symlink("file", server.home.appending("link").string) == 0)
        try session.upload(Array("three".utf8), to: "~/link")
        #expect(try FileSystem.read(file) == Array("three".utf8))
        #expect(try FileSystem.list(server.home) == [".ssh", "file", "link"])
    }

    @Test("a download goes where a link leads, and replaces no pipe")
    func downloadThroughLink() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let session = try server.logIn(key)
        try AtomicFile.write("new", to: server.home.appending("file"))
        let (target, link) = (directory.path.appending("target"), directory.path.appending("link"))
        try AtomicFile.write("old", to: target)
        #expect(symlink("target", link.string) == 0)
        try session.download("~/file", to: link)
        #expect(try FileSystem.read(target) == Array("new".utf8))
        #expect(try FileSystem.status(link, followLinks: false)?.kind == .symbolicLink)
        let pipe = directory.path.appending("pipe")
        #expect(mkfifo(pipe.string, 0o600) == 0)
        #expect(throws: SSHError.transferFailed(path: pipe.string, reason: "it is neither a file nor a folder")) {
            try session.download("~/file", to: pipe)
        }
        #expect(try FileSystem.status(pipe)?.kind == .other)
    }

    @Test("files of the kernel's, which have no size, can be downloaded")
    func kernelFile() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let copy = directory.path.appending("version")
        try server.logIn(key).download("/proc/version", to: copy)
        #expect(try FileSystem.read(copy) == FileSystem.read("/proc/version"))
    }

    @Test("says why a transfer did not happen, and leaves nothing behind")
    func failures() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let session = try server.logIn(key)
        let missing = directory.path.appending("missing")
        #expect(throws: SSHError.transferFailed(path: missing.string, reason: "there is no such file or folder")) {
            try session.upload(missing, to: "/tmp/x")
        }
        #expect(
            throws: SSHError.transferFailed(path: "/missing", reason: "there is no such file or folder in the guest")
        ) {
            try session.download("/missing", to: directory.path.appending("copy"))
        }
        try AtomicFile.write("file", to: server.home.appending("file"))
        let error = #expect(throws: SSHError.self) { try session.upload([1], to: "~/file/below") }
        #expect(error?.layer == .channel)
        #expect(try FileSystem.list(directory.path) == [])
        #expect(try FileSystem.list(server.home) == [".ssh", "file"])
    }

    @Test("holes of a file are holes in its copy")
    func holes() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let file = server.home.appending("sparse")
        do {
            let made = try OwnedDescriptor.open(file, [.writeOnly, .create])
            try made.writeAll([1])
            try made.skip(20 << 20)
            try made.writeAll([2])
            try made.skip(1 << 20)
            try made.endHere()
        }
        let copy = directory.path.appending("copy")
        try server.logIn(key).download("~/sparse", to: copy)
        let status = try #require(try FileSystem.status(copy))
        #expect(status.size == (21 << 20) + 2 && status.allocated < 1 << 20)
        #expect(try ChildProcess.run(["cmp", file.string, copy.string]).outcome.isSuccess)
    }

    /// A file of pieces of 4 KiB at these places, and a hole up to its end.
    private func sparseFile(_ path: FilePath, at places: [Int64], size: Int64) throws {
        let file = try OwnedDescriptor.open(path, [.readWrite, .create], permissions: 0o640)
        for place in places {
            let bytes = randomBytes(count: 4096)
            try bytes.withUnsafeBytes { try file.writeAll($0, at: place) }
        }
        try file.truncate(to: size)
    }

    /// In one header, in more, and without any data.
    private static let layouts: [(name: String, places: [Int64], size: Int64)] = [
        ("two", [0, 20 << 20], 21 << 20), ("end", [(12 << 20) - 4096], 12 << 20), ("none", [], 8 << 20),
        ("many", (0..<60).map { $0 * (128 << 10) }, 60 * (128 << 10) + 5),
    ]

    @Test("holes of files are not sent, and are holes in their copies", arguments: TestServer.kinds)
    func sparseUpload(kind: TestServer.Kind) throws {
        let server = try TestServer(kind, accepting: [key.publicKey])
        let session = try server.logIn(key)
        let tree = directory.path.appending("tree")
        try FileSystem.makeDirectory(tree)
        for layout in Self.layouts { try sparseFile(tree.appending(layout.name), at: layout.places, size: layout.size) }
        try AtomicFile.write("plain", to: tree.appending("plain"))
        var sent: UInt64 = 0
        try session.upload(tree, to: "~/tree") { sent = $0 }
        #expect(sent < 1 << 20)
        for layout in Self.layouts {
            let file = tree.appending(layout.name)
            try session.upload(file, to: "~/single/", UploadOptions(permissions: 0o604)) { sent = $0 }
            #expect(sent < 1 << 20)
            for folder in ["tree", "single"] {
                let copy = server.home.appending(folder).appending(layout.name)
                let status = try #require(try FileSystem.status(copy))
                #expect(status.size == layout.size && status.allocated < 1 << 20, "\(folder)/\(layout.name)")
                #expect(status.permissions == (folder == "tree" ? 0o640 : 0o604))
                #expect(try ChildProcess.run(["cmp", file.string, copy.string]).outcome.isSuccess)
            }
        }
        #expect(try FileSystem.read(server.home.appending("tree/plain")) == Array("plain".utf8))
        #expect(try FileSystem.list(server.home.appending("single")) == Self.layouts.map(\.name).sorted())
        // What is a link there stays one.
        #expect(symlink("single/two", server.home.appending("link").string) == 0)
        try session.upload(tree.appending("none"), to: "~/link")
        #expect(try FileSystem.status(server.home.appending("link"), followLinks: false)?.kind == .symbolicLink)
        #expect(try FileSystem.status(server.home.appending("single/two"))?.size == 8 << 20)
    }

    @Test(
        "a guest whose tar knows no holes gets the files whole",
        .enabled(if: getuid() == 0, "only root gives a user of the server's another shell"))
    func sparseUploadToSimpleTar() throws {
        let place = try TemporaryFolder()
        let busybox = try #require(findExecutable("busybox"))
        try FileSystem.makeDirectory(place("bin"))
        #expect(symlink(busybox, place("bin/tar").string) == 0)
        let shell = place("shell")
        try AtomicFile.write(
            "#!/bin/sh\nPATH=\(place("bin")):$PATH; export PATH; exec /bin/sh \"$@\"\n", to: shell, permissions: 0o755)
        let server = try TestServer(accepting: [key.publicKey], shell: shell.string)
        let session = try server.logIn(key)
        let tree = directory.path.appending("tree")
        try FileSystem.makeDirectory(tree)
        let file = tree.appending("two")
        try sparseFile(file, at: [0, 2 << 20], size: 3 << 20)
        try session.upload(tree, to: "~/tree")
        try session.upload(file, to: "~/single")
        for copy in ["tree/two", "single"] {
            #expect(try ChildProcess.run(["cmp", file.string, server.home.appending(copy).string]).outcome.isSuccess)
        }
    }

    @Test(
        "what may not be read is told", .enabled(if: getuid() == 0, "root becomes another user"),
        arguments: ["file", "folder"])
    func refused(kind: String) throws {
        let server = try TestServer(accepting: [key.publicKey])
        let place = directory.path.appending("place")
        try FileSystem.makeDirectory(place)
        try AtomicFile.write("secret", to: place.appending("file"), permissions: 0o600)
        try FileSystem.setPermissions(directory.path, 0o755)
        let source = kind == "file" ? place.appending("file") : place
        let error = #expect(throws: SSHError.self) {
            try server.logIn(key).download(source.string, to: directory.path.appending("copy"), as: "daemon")
        }
        #expect(error?.summary.contains("Permission denied") == true, "\(error?.summary ?? "")")
    }

    @Test("what is named in a folder that a guest writes to may not lead out of it")
    func guarded() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let session = try server.logIn(key)
        let share = directory.path.appending("share")
        try FileSystem.makeDirectory(share.appending(".wander"))
        try FileSystem.makeDirectory(share.appending("tree/sub"))
        try AtomicFile.write("secret", to: directory.path.appending("secret"))
        try AtomicFile.write("hidden", to: share.appending(".wander/key"))
        try AtomicFile.write("mine", to: share.appending("mine"))
        for (name, target) in [
            ("out", "../secret"), ("absolute", directory.path.appending("secret").string), ("key", ".wander/key"),
            ("up", ".."),
            ("inner", "mine"),
        ] {
            #expect(symlink(target, share.appending(name).string) == 0)
        }
        for name in ["out", "absolute", "key", "up", ".wander"] {
            let source = GuardedPath(share.appending(name), outOf: [share])
            #expect(throws: SSHError.self, "\(name)") { try session.upload(source, to: "~/copy") }
            #expect(throws: SystemError.self, "\(name)") { try source.read() }
        }
        try session.upload(GuardedPath(share.appending("inner"), outOf: [share]), to: "~/copy")
        #expect(try FileSystem.read(server.home.appending("copy")) == Array("mine".utf8))
        // A folder that is replaced while it is walked: links in it are sent as links, and nothing beyond them.
        try session.upload(GuardedPath(share, outOf: [directory.path, share]), to: "~/all")
        #expect(
            try FileSystem.list(server.home.appending("all")) == [
                "absolute", "inner", "key", "mine", "out", "tree", "up",
            ])
    }

    @Test("owner and mode are set as asked", .enabled(if: getuid() == 0, "only root gives files away"))
    func owner() throws {
        let server = try TestServer(accepting: [key.publicKey])
        let session = try server.logIn(key)
        try session.upload([1], to: "~/file", UploadOptions(permissions: 0o600, owner: "daemon:bin"))
        let tree = directory.path.appending("tree")
        try FileSystem.makeDirectory(tree.appending("sub"))
        try AtomicFile.write("x", to: tree.appending("sub").appending("x"))
        try session.upload(tree, to: "~/tree", UploadOptions(permissions: 0o604, owner: "daemon:bin"))
        let listing = try ChildProcess.run(["stat", "-c", "%U:%G %a", server.home.appending("file").string])
        #expect(listing.output == Array("daemon:bin 600\n".utf8))
        let inner = server.home.appending("tree").appending("sub").appending("x")
        #expect(
            try ChildProcess.run(["stat", "-c", "%U:%G %a", inner.string]).output == Array("daemon:bin 604\n".utf8))
        #expect(throws: SSHError.self) {
            try session.upload([1], to: "~/other", UploadOptions(permissions: nil, owner: "nobody-by-this-name"))
        }
        #expect(try FileSystem.list(server.home) == [".ssh", "file", "tree"])
    }
}
