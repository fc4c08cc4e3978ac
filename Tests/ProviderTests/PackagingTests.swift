import DiskImage
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import Provider

@Suite struct PackagingTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func file(_ name: String, _ text: String = "") throws -> FilePath {
        let path = folder.path.pushing(FilePath(name))
        try FileSystem.makeDirectory(path.removingLastComponent())
        try AtomicFile.write(text, to: path)
        return path
    }

    private func contents(_ change: (inout PackageOptions) -> Void) throws -> [String] {
        var options = PackageOptions(output: folder.path.appending("out.box"))
        change(&options)
        return try PackageContents(options).files.keys.sorted()
    }

    @Test("included files keep relative names, absolute ones their last part")
    func includes() throws {
        let one = try file("a/b/one")
        _ = try file("a/b/deep/two")
        let info = try file("info.json")
        #expect(try contents { $0.includes = [("a/b/one", one)] } == ["include/a/b/one"])
        #expect(try contents { $0.includes = [(one.string, one)] } == ["include/one"])
        #expect(try contents { $0.includes = [("../x/one", one)] } == ["include/one"])
        #expect(
            try contents { $0.includes = [("a/b", folder.path.pushing("a/b"))] }
                == ["include/a/b/deep/two", "include/a/b/one"])
        #expect(
            try contents {
                $0.info = info
                $0.wanderfile = one
            } == ["include/_Wanderfile", "info.json"])
    }

    @Test("what cannot be included is known before any work")
    func refusals() throws {
        let one = try file("a/one")
        let missing = folder.path.appending("missing")
        #expect(throws: PackageError.missingInclude(missing)) { try contents { $0.includes = [("missing", missing)] } }
        #expect(throws: PackageError.wrongInfo(one)) { try contents { $0.info = one } }
        #expect(throws: PackageError.twoIncludes("include/one")) {
            try contents { $0.includes = [(one.string, one), ("one", one)] }
        }
        #expect(try ChildProcess.run(["ln", "-s", "..", folder.path.pushing("a/loop").string]).outcome.isSuccess)
        #expect(throws: PackageError.self) { try contents { $0.includes = [("a", folder.path.appending("a"))] } }
    }

    @Test("a guest's report is read line by line; what it should not say is dropped")
    func report() {
        let text = """
            login-key /home/vagrant/.ssh/authorized_keys
            history /root/.bash_history
            clean 12 /var/cache/apt
            nonsense line
            kernel 6.1.0-99 100 x
            secret \u{1b}[31m/root/.netrc
            kernel 6.1.0-99 100 200
            clean 99999999999999999999 /overflow
            end
            """
        let report = PreparationReport(guestText: text)
        #expect(report.isComplete)
        #expect(report.items.map(\.kind) == [.loginKey, .history, .clean, .secret])
        #expect(report.items.last?.text == "/root/.netrc")
        #expect(report.items[2].bytes == 12 << 10)
        #expect(report.kernel == PreparationReport.Kernel(version: "6.1.0-99", kernelSize: 100, initrdSize: 200))
        #expect(!PreparationReport(guestText: "machine-id /etc/machine-id\n").isComplete)
    }

    private func script(_ user: String = "vagrant") -> PreparationScript {
        PreparationScript(user: user, ownKey: "AAAA", keepsIdentity: false, cleans: true, kernelDigest: "00")
    }

    @Test("every shell that a guest may have can read the script", arguments: ["dash", "bash", "busybox sh"])
    func syntax(shell: String) throws {
        let words = shell.split(separator: " ").map(String.init)
        guard findExecutable(words[0]) != nil else {
            // One shell there is everywhere: the script is never unread.
            #expect(words[0] != "bash")
            return
        }
        let result = try ChildProcess.run(words + ["-n"], input: Array(script().text.utf8))
        #expect(result.outcome.isSuccess, "\(String(decoding: result.error, as: UTF8.self))")
    }

    @Test("a name from a box's metadata cannot leave its quotes in the script")
    func quoting() throws {
        let text = script("x'; touch /tmp/never; echo '").text
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("user=") })
        let result = try ChildProcess.run(["sh", "-c", "\(line)\nprintf %s \"$user\""])
        #expect(String(decoding: result.output, as: UTF8.self) == "x'; touch /tmp/never; echo '")
    }

    @Test("the same disk and wishes are the same key; any change is another")
    func preparedKey() throws {
        let disk = try file("disk", "one")
        let layers = [DiskLayer(path: disk, format: .qcow2)]
        let key = try PreparedDisk.key(layers, script: "a", box: "b")
        #expect(try PreparedDisk.key(layers, script: "a", box: "b") == key)
        #expect(try PreparedDisk.key(layers, script: "c", box: "b") != key)
        #expect(try PreparedDisk.key(layers, script: "a", box: "c") != key)
        try AtomicFile.write("two", to: disk)
        #expect(try PreparedDisk.key(layers, script: "a", box: "b") != key)
    }

    @Test("secrets are found wherever they stand, also where one piece ends and the next begins")
    func secrets() throws {
        let cancellation = try Cancellation()
        var bytes = [UInt8](repeating: 0x61, count: 3 << 20)
        bytes.replaceSubrange((1 << 20) - 3..<(1 << 20) + 4, with: Array("tr0ub4d".utf8))
        bytes.replaceSubrange(bytes.count - 5..<bytes.count, with: Array("horse".utf8))
        let path = folder.path.appending("image")
        try OwnedDescriptor.open(path, [.writeOnly, .create]).writeAll(bytes)
        func count(_ texts: String...) throws -> Int {
            try SecretSearch(texts.map { Array($0.utf8) }).count(in: path, cancellation: cancellation)
        }
        #expect(try count("tr0ub4d") == 1)
        #expect(try count("horse", "aaaaaaaatr0", "battery", "ahorse") == 3)
        #expect(try count("horses", "tr0ub4dd") == 0)
    }
}
