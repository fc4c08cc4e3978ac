import BoxFormat
import Digest
import DiskImage
import LinuxSystem
import Reporting
import Synchronization
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

    @Test(
        "the guests of killed commands are ended wherever they were started, and what they wrote goes",
        arguments: ["package", "package-live/package", "package-list"])
    func leftGuests(place: String) throws {
        let fixture = try MachineFixture()
        let record = try fixture.create()
        let guest = MachineFolder(path: fixture.machine.folder.path.pushing(FilePath(place)), name: "default")
        try FileSystem.makeDirectory(guest.path)
        let lock = try OwnedDescriptor.open(guest.livenessLock, [.readWrite, .create])
        #expect(try OpenFileLock.tryLock(lock, .exclusive))
        var options = ChildProcess.Options()
        options.extraDescriptors = [lock.rawValue]
        let child = try ChildProcess.start(["sleep", "60"], options)
        lock.close()
        _ = try fixture.start(record)
        #expect(try child.wait(milliseconds: 10_000) == .signalled(9))
        #expect(try FileSystem.list(fixture.machine.folder.path).filter { $0.hasPrefix("package") }.isEmpty)
    }

    @Test("what the guest that prepares a box is at is told stage by stage, and none is taken back")
    func stages() throws {
        let console = try file("console.log", "[    0.1] Linux\n")
        let sink = Events()
        let fixture = try MachineFixture(events: sink)
        var progress = PreparationProgress(machine: fixture.machine, console: console, label: "preparing")
        progress.look()
        // Nobody is told of what takes no time.
        #expect(sink.outputs.isEmpty)
        progress.started = progress.started.advanced(byMilliseconds: -1000)
        progress.look()
        progress.look()
        let script = PreparationScript(user: "vagrant", ownKey: nil, keepsIdentity: false, cleans: false).text
        for stage in [PreparationScript.Stage.identity, .trimming] {
            #expect(script.contains("echo '\(stage.line)'\n"))
            _ = try file("console.log", "\(stage.line)\n[    1.1] more\n")
            progress.look()
        }
        _ = try file("console.log", "[    2.1] EXT4-fs\n")
        progress.look()
        #expect(
            sink.outputs == [
                "a guest starts on the copy", PreparationScript.Stage.identity.rawValue,
                PreparationScript.Stage.trimming.rawValue,
            ])
        #expect(sink.progress.count == 5)
        #expect(!script.contains(PreparationScript.Stage.cleaning.line))
        var preview = PreparationScript(user: "vagrant", ownKey: nil, keepsIdentity: false, cleans: true)
        preview.lists = true
        #expect(!preview.text.contains("wander: "))
    }

    /// Keeps what a job tells.
    private final class Events: EventSink {
        private let events = Mutex<[Event]>([])
        func report(_ event: Event, about subject: String?) { events.withLock { $0.append(event) } }
        var outputs: [String] {
            events.withLock { $0.compactMap { if case .output(let text) = $0 { text } else { nil } } }
        }
        var progress: [Progress] {
            events.withLock { $0.compactMap { if case .progress(let progress) = $0 { progress } else { nil } } }
        }
    }

    @Test("a guest whose disk refused a write has not prepared it")
    func lostWrites() {
        let line = "[    3.1] I/O error, dev vda, sector 81920 op 0x1:(WRITE) flags 0x800 phys_seg 16 prio class 2\n"
        #expect(PreparationGuest.tellsOfLostWrites(Array("blk_update_request: \(line)".utf8)))
        #expect(!PreparationGuest.tellsOfLostWrites(Array("EXT4-fs (vda1): mounted filesystem\n".utf8)))
        // What it still looks ahead for when it has written everything and switches itself off.
        let off = "[    4.6] sysrq: Power Off\n"
        #expect(!PreparationGuest.tellsOfLostWrites(Array((off + line).utf8)))
        #expect(PreparationGuest.tellsOfLostWrites(Array((line + off).utf8)))
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

    @Test("what machines keep for themselves, and what no box can hold, is not included")
    func withheld() throws {
        _ = try file("project/.wander/machines/default/id_ed25519", "key")
        _ = try file("project/Wanderfile")
        let project = folder.path.appending("project")
        #expect(try contents { $0.includes = [("project", project)] } == ["include/project/Wanderfile"])
        let state = project.pushing(".wander/machines")
        #expect(throws: PackageError.includesState(state)) { try contents { $0.includes = [("x", state)] } }
        _ = try file("project/two\nlines")
        #expect(throws: BoxError.self) { try contents { $0.includes = [("project", project)] } }
        #expect(throws: PackageError.notAFile(project)) { try contents { $0.wanderfile = project } }
    }

    @Test("where a box cannot go is known before any work")
    func output() throws {
        func check(_ name: String, force: Bool = false, including: FilePath? = nil) throws {
            var options = PackageOptions(output: folder.path.pushing(FilePath(name)))
            options.replace = force
            if let including { options.includes = [("x", including)] }
            try PackageOutput.check(options, try PackageContents(options))
        }
        let old = try file("old.box", "old")
        #expect(throws: PackageError.outputIsFolder(folder.path)) { try check("") }
        #expect(throws: BoxError.outputExists(old)) { try check("old.box") }
        try check("old.box", force: true)
        #expect(throws: PackageError.outputIncluded(old)) { try check("old.box", force: true, including: folder.path) }
        #expect(throws: PackageError.self) { try check(".wander/machines/default/new.box") }
        #expect(throws: SystemError.self) { try check("old.box/new.box") }
        for (name, target) in [("nowhere", "missing"), ("device", "/dev/null")] {
            #expect(try ChildProcess.run(["ln", "-s", target, folder.path.appending(name).string]).outcome.isSuccess)
        }
        #expect(throws: BoxError.self) { try check("nowhere") }
        try check("nowhere", force: true)
        #expect(throws: PackageError.outputIsNoFile(folder.path.appending("device"))) {
            try check("device", force: true)
        }
        try check("a/b/new.box")
        #expect(try FileSystem.list(folder.path.pushing("a/b")).isEmpty)
        #expect(try FileSystem.read(old) == Array("old".utf8))
    }

    @Test("of a disk image alone: a box that nothing is left beside")
    func base() throws {
        let image = try file("--.raw", String(repeating: "x", count: 4096))
        var options = PackageOptions(output: folder.path.pushing("out/base.box"))
        let base = BasePackage(events: SilentSink(), cancellation: try Cancellation())
        #expect(throws: PackageError.missingImage("/nowhere")) { try base.make(of: "/nowhere", options) }
        let outcome = try base.make(of: image, options)
        #expect(outcome.virtualSize == 4096 && outcome.name.description == "box")
        #expect(try FileSystem.list(folder.path.appending("out")) == ["base.box"])
        let cancellation = try Cancellation()
        cancellation.request()
        options.replace = true
        #expect(throws: (any Error).self) {
            try BasePackage(events: SilentSink(), cancellation: cancellation).make(of: image, options)
        }
        #expect(try FileSystem.list(folder.path.appending("out")) == ["base.box"])
    }

    @Test("a kernel that a guest hands out is known by its header; what a boot loader added is left out")
    func handedOut() throws {
        func header(_ text: String) -> GuestKernelHeader? { GuestKernelHeader(Array(text.utf8)) }
        let line = "BOOT_IMAGE=(hd0,msdos1)/vmlinuz root=UUID=1 ro init=/bin/evil quiet -- more"
        let found = try #require(header("6.1.0-9 3 2\n\(line)\nabcde"))
        #expect(found.version == "6.1.0-9" && found.kernelSize == 3 && found.initrdSize == 2)
        #expect(found.commandLine == "root=UUID=1 ro quiet")
        #expect(found.byteCount == UInt64("6.1.0-9 3 2\n\(line)\n".utf8.count))
        for text in [
            "", "6.1 3 2", "6.1 3 2\nline", "6.1 3\nline\n", "6.1 0 2\nline\n", "6.1 3 -2\nline\n",
            "6.1 3 99999999999\nline\n", "6.1 3 2\n\(String(repeating: "a", count: 3000))\n",
        ] {
            #expect(header(text) == nil, "\(text.prefix(40))")
        }
        // The key that was handed over is the machine's; the word that asks for one is the box's.
        let taken = try #require(header("6.1.0-9 3 2\nquiet wander.key=AAAAC3Nza root=/dev/vda\nabcde"))
        #expect(taken.commandLine == "quiet wander.key= root=/dev/vda")
        // Nothing is known until all of it is there.
        #expect(DirectBoot(handedOutTo: folder.path) == nil)
        try DirectBoot.save(found, digest: SHA256Digest(of: [1]), in: folder.path)
        let boot = try #require(DirectBoot(handedOutTo: folder.path))
        #expect(boot.commandLine == found.commandLine && boot.version == "6.1.0-9")
        #expect(boot.kernelDigest == SHA256Digest(of: [1]).hexadecimal)
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
            kernel 6.1.0-99 100 200 aa bb
            clean 99999999999999999999 /overflow
            end
            """
        let report = PreparationReport(guestText: text)
        #expect(report.isComplete)
        #expect(report.items.map(\.kind) == [.loginKey, .history, .clean, .secret])
        #expect(report.items.last?.text == "/root/.netrc")
        #expect(report.items[2].bytes == 12 << 10)
        #expect(
            report.kernel
                == PreparationReport.Kernel(
                    version: "6.1.0-99", kernelSize: 100, initrdSize: 200, kernelDigest: "aa", initrdDigest: "bb"))
        #expect(!PreparationReport(guestText: "machine-id /etc/machine-id\n").isComplete)
        // However much was found, the guest has come to its end if it says so at the end.
        let many = String(repeating: "secret /home/a/.kube/cache/x\n", count: 6000)
        let long = PreparationReport(guestText: many + "kernel 6.1 10 20 ab cd\nend\n")
        #expect(long.isComplete && long.kernel?.version == "6.1" && long.items.count < 6000)
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

    @Test("what was swapped out goes, and a swap area stays one", arguments: ["dash", "bash", "busybox sh"])
    func swap(shell: String) throws {
        let words = shell.split(separator: " ").map(String.init)
        guard findExecutable(words[0]) != nil else {
            #expect(words[0] != "bash")
            return
        }
        func area(_ name: String, signature: String) throws -> FilePath {
            var bytes = [UInt8](repeating: 0x5a, count: 5 * 4096)
            bytes.replaceSubrange(
                4086..<4096, with: Array(signature.utf8) + [UInt8](repeating: 0, count: 10 - signature.utf8.count))
            return try folder.file(name, bytes)
        }
        let areas = [
            try area("a swap", signature: "SWAPSPACE2"), try area("hibernated", signature: "S1SUSPEND"),
            try area("data", signature: "no swap"),
        ]
        let before = try areas.map { try FileSystem.read($0) }
        func run(list: String) throws -> [String] {
            let script =
                "list=\(list)\nuser=x\n\(PreparationScript.tools)\n\(PreparationScript.swap)\nwipe_swap \"$@\"\nprintf %s \"$report\""
            let result = try ChildProcess.run(words + ["-c", script, "sh"] + areas.map(\.string))
            return String(decoding: result.output, as: UTF8.self).split(separator: "\n").map(String.init)
        }
        #expect(try run(list: "yes") == ["swap \(areas[0])", "swap \(areas[1])"])
        #expect(try areas.map { try FileSystem.read($0) } == before)
        #expect(try run(list: "").count == 2)
        let after = try areas.map { try FileSystem.read($0) }
        let first = Array(before[0][..<4096])
        #expect(after[0] == first + [UInt8](repeating: 0, count: 4 * 4096))
        #expect(after[1] == after[0])
        #expect(after[2] == before[2])
    }

    @Test("lines of shares go out of the mount table, and nothing else does")
    func shares() throws {
        let share = MachineShare(
            tag: MachineShare.tag(for: "/my project"), folder: "/home/me", guest: "/my project", isReadOnly: false)
        let kept = "# Folders\nUUID=1 / ext4 rw 0 1\nmine /wander-0 virtiofs rw 0 0\n"
        let table = try file("fstab", "\(kept)\(MountTable.comment)\n\(MountTable.line(share))\n")
        func run(list: String) throws -> String {
            let script = PreparationScript.shares.replacing("/etc/fstab", with: table.string)
            let settings = PreparationScript.assignments([
                ("list", list), ("share_pattern", MountTable.pattern), ("share_comment", MountTable.comment),
            ])
            #expect(try ChildProcess.run(["sh", "-c", settings + script]).outcome.isSuccess)
            return String(decoding: try FileSystem.read(table, limit: 4096), as: UTF8.self)
        }
        #expect(try run(list: "yes").contains("virtiofs"))
        #expect(try run(list: "yes").contains("my\\040project"))
        #expect(try run(list: "") == kept)
        #expect(try run(list: "") == kept)
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
