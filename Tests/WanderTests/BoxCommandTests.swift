import BoxFormat
import JSON
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

/// `wander box` as a user types it, with a store of the test's own.
@Suite struct BoxCommandTests {
    private let scratch: TemporaryFolder
    var folder: FilePath { scratch.path }
    let store: BoxStore
    let wander: WanderProcess

    init() throws {
        scratch = try TemporaryFolder()
        store = BoxStore(root: scratch("home"))
        wander = WanderProcess(
            environment: ["WANDER_HOME": store.root.string, "WANDER_CATALOGUES": ""], directory: scratch.path)
    }

    /// A box whose disk is `megabytes` of what does not compress.
    @discardableResult
    private func makeBox(_ file: String, name: String, version: String, megabytes: Int = 0) throws -> FilePath {
        let metadata = """
            {"provider":"libvirt","format":"raw","wander":{"schema":1,"name":"\(name)","version":"\(version)",
            "architecture":"amd64"}}
            """
        let path = folder.appending(file)
        let disk = Array("a disk".utf8) + randomBytes(count: megabytes << 20)
        try BoxWriter(["metadata.json": .bytes(Array(metadata.utf8)), "box.img": .bytes(disk)]).write(
            to: path, replace: true)
        return path
    }

    @Test("a box's way through the store: add, list, show, verify, repackage, remove")
    func wholeWay() throws {
        #expect(try wander.run("box", "list").output.contains("No boxes"))
        #expect(try !FileSystem.exists(store.root))
        try makeBox("a.box", name: "team/a", version: "1.2")
        let added = try wander.run("box", "add", "a.box", "--json")
        #expect(added.status == 0)
        let digest = try #require(added.json?["box"]?["sha256"]?.stringValue)
        #expect(added.json?["schema"] == 1)
        #expect(try wander.run("box", "add", "a.box").status == 4)
        #expect(try wander.run("box", "add", "--force", "a.box").status == 0)
        let list = try wander.run("box", "list", "--json").json
        #expect(list?["boxes"]?.arrayValue?.map { $0["name"] } == ["team/a"])
        #expect(try wander.run("box", "list", "--names").output == "team/a\n")
        #expect(try wander.run("box", "show", "team/a").output.contains("sha256:\(digest)"))
        #expect(try wander.run("box", "verify").status == 0)
        #expect(try wander.run("box", "repackage", "team/a", "--output", "b.box").status == 0)
        #expect(try wander.run("box", "repackage", "team/a", "--output", "b.box").status == 4)
        // Packing is deterministic: the same bytes come out again.
        #expect(try FileSystem.read(folder.appending("a.box")) == FileSystem.read(folder.appending("b.box")))
        let box = try #require(try store.list().boxes.first)
        try FileSystem.setPermissions(box.disk.path, 0o600)
        try AtomicFile.write("x", to: box.disk.path)
        let damaged = try wander.run("box", "verify", "team/a")
        #expect(damaged.status == 7)
        #expect(damaged.error.contains("box.img: changed"))
        #expect(try wander.run("box", "remove", "team/a").status == 0)
        #expect(try wander.run("box", "show", "team/a").status == 3)
    }

    @Test("prune keeps the newest and what is in use; remove refuses what is in use")
    func prune() throws {
        for (name, version) in [("foo", "1.0"), ("foo", "1.1"), ("foo", "1.2"), ("bar", "1.0"), ("bar", "1.1")] {
            let file = try makeBox("x.box", name: name, version: version)
            #expect(try wander.run("box", "add", file.string).status == 0)
            try FileSystem.remove(file)
        }
        let used = try #require(try store.find(BoxName("foo"), VersionRequirement("1.0")))
        try store.recordUse(of: used, machine: "web", directory: folder)
        #expect(try wander.run("box", "prune", "--no-input").status == 10)
        #expect(try wander.run("box", "prune", "--dry-run").output.contains("Would remove foo 1.1"))
        #expect(try store.list().boxes.count == 5)
        #expect(try wander.run("box", "prune", "--yes", "--name", "bar").status == 0)
        #expect(try store.list().boxes.count == 4)
        #expect(try wander.run("box", "prune", "--yes").output.contains("Kept foo 1.0 (amd64): in use"))
        // A machine that is not found counts, until somebody says that it is gone.
        let middle = try makeBox("x.box", name: "foo", version: "1.1")
        #expect(try wander.run("box", "add", middle.string).status == 0)
        let project = folder.appending("project")
        try FileSystem.makeDirectory(project)
        let other = try #require(try store.find(BoxName("foo"), VersionRequirement("1.1")))
        try store.recordUse(of: other, machine: "db", directory: project)
        try FileSystem.removeTree(project)
        #expect(try wander.run("box", "prune", "--yes").output.contains("in use by db (not found: \(project))"))
        #expect(try wander.run("box", "prune", "--yes", "--forget-missing").output.contains("Forgot db (not found: "))
        #expect(try store.list().boxes.map { "\($0.name) \($0.version)" } == ["bar 1.1", "foo 1.0", "foo 1.2"])
        let ambiguous = try wander.run("box", "remove", "foo")
        #expect(ambiguous.status == 4)
        #expect(ambiguous.error.contains("foo 1.2 (amd64)"))
        let refused = try wander.run("box", "remove", "foo", "--box-version", "1.0")
        #expect(refused.status == 4)
        #expect(refused.error.contains("web in "))
        #expect(try wander.run("box", "remove", "foo", "--all", "--force").status == 0)
        #expect(try store.list().boxes.map(\.name.description) == ["bar"])
    }

    @Test("a box whose record is damaged is shown as such, put back, and removed by its name")
    func damagedRecord() throws {
        let file = try makeBox("a.box", name: "team/a", version: "1.2")
        #expect(try wander.run("box", "add", file.string).status == 0)
        let box = try #require(try store.list().boxes.first)
        let record = box.directory.removingLastComponent().appending("record.json")
        try AtomicFile.write("{", to: record)
        for verb in ["show", "verify"] {
            let said = try wander.run("box", verb, "team/a").error
            #expect(said.contains("record.json is damaged") && said.contains("--force team/a --box-version 1.2"))
        }
        try store.recordUse(of: box, machine: "web", directory: folder)
        let refused = try wander.run("box", "remove", "team/a")
        #expect(refused.status == 4 && refused.error.contains("web in "))
        #expect(try wander.run("box", "add", "--force", file.string).status == 0)
        #expect(try wander.run("box", "verify").status == 0)
        try AtomicFile.write("{", to: record)
        let removed = try wander.run("box", "remove", "--force", "team/a", "--json")
        #expect(removed.json?["removed"]?.arrayValue?.first?["version"] == "1.2")
        #expect(try wander.run("box", "remove", "team/a").status == 3)
    }

    @Test("update moves the lock on and says from where to where; outdated changes nothing")
    func update() throws {
        func publish(_ versions: [String]) throws {
            let list = try versions.map { version -> JSONValue in
                try makeBox("\(version).box", name: "team/a", version: version)
                let entry: JSONValue = ["name": "libvirt", "url": .string("\(version).box")]
                return ["version": .string(version), "providers": [entry]]
            }
            let catalogue: JSONValue = ["name": "team/a", "versions": .array(list)]
            try AtomicFile.write(catalogue.pretty, to: folder.appending("a.json"))
        }
        var wander = wander
        wander.environment["WANDER_CATALOGUES"] = "file://\(folder)/{name}.json"
        try AtomicFile.write("box: { ref: team/a, version: \"~> 1.0\" }\n", to: folder.appending("Wanderfile"))
        try publish(["1.0"])
        #expect(try wander.run("box", "update").output.contains("team/a: none -> 1.0"))
        let lock = try FileSystem.read(folder.appending("Wanderfile.lock"))
        try publish(["1.0", "1.4", "2.0"])
        let outdated = try wander.run("box", "outdated", "--json").json
        #expect(outdated?["boxes"]?.arrayValue?.first?["newest"] == "1.4")
        #expect(try FileSystem.read(folder.appending("Wanderfile.lock")) == lock)
        #expect(try wander.run("box", "update").output.contains("team/a: 1.0 -> 1.4"))
        #expect(try wander.run("box", "update").output.contains("team/a: 1.4 is the newest"))
        #expect(
            try LockFile.read(folder.appending("Wanderfile.lock")).entries.map(\.box.version.description) == ["1.4"])
    }

    @Test("several damaged boxes are one document, with every box and one error")
    func verifyAsData() throws {
        defer { try? FileSystem.removeTree(folder) }
        for name in ["team/a", "team/b", "team/c"] {
            #expect(try wander.run("box", "add", makeBox("x.box", name: name, version: "1").string).status == 0)
            try FileSystem.remove(folder.appending("x.box"))
        }
        for box in try store.list().boxes where box.name.description != "team/b" {
            try FileSystem.setPermissions(box.disk.path, 0o600)
            try AtomicFile.write("x", to: box.disk.path)
        }
        let result = try wander.run("box", "verify", "--json")
        #expect(result.status == 7)
        // A text with two documents is none.
        let document = try #require(result.json, "\(result.output)")
        let boxes = try #require(document["boxes"]?.arrayValue)
        #expect(boxes.map { $0["ok"]?.boolValue } == [false, true, false])
        #expect(boxes.map { $0["files"]?.arrayValue?.isEmpty } == [false, true, false])
        #expect(document["error"]?["exit"] == 7)
        // For people both are named.
        let said = try wander.run("box", "verify")
        #expect(said.status == 7)
        for name in ["team/a", "team/c"] {
            #expect(said.error.contains("\(name) 1 (amd64) is damaged"), "\(said.error)")
        }
    }

    @Test("update waits for whoever changes Wanderfile.lock, and keeps what that one wrote")
    func updateBesideOthers() throws {
        defer { try? FileSystem.removeTree(folder) }
        try makeBox("a.box", name: "team/a", version: "1.0")
        let catalogue: JSONValue = [
            "name": "team/a",
            "versions": [["version": "1.0", "providers": [["name": "libvirt", "url": "a.box"]]]],
        ]
        try AtomicFile.write(catalogue.pretty, to: folder.appending("a.json"))
        var wander = wander
        wander.environment["WANDER_CATALOGUES"] = "file://\(folder)/{name}.json"
        try AtomicFile.write(
            "machines: { one: { box: team/a }, two: { box: team/b } }\n", to: folder.appending("Wanderfile"))
        // As an 'up' of the other machine does.
        let place = folder.pushing(".wander/locks/boxes")
        try FileSystem.makeDirectory(place.removingLastComponent(), permissions: 0o700)
        let other = try OwnedDescriptor.open(place, [.readWrite, .create], permissions: 0o600)
        #expect(try OpenFileLock.tryLock(other, .exclusive))
        var options = wander.options
        options.output = .null
        options.error = .null
        let update = try ChildProcess.start(
            [WanderProcess.executable().string, "box", "update", "--box", "team/a"], options)
        // It has come as far as the lock, and waits there.
        let descriptors = FilePath("/proc/\(update.identifier)/fd")
        let deadline = MonotonicClock.now.advanced(byMilliseconds: 30_000)
        var isWaiting = false
        while !isWaiting, MonotonicClock.now < deadline {
            isWaiting = ((try? FileSystem.list(descriptors)) ?? []).contains {
                (try? FileSystem.readLink(descriptors.appending($0))) == place
            }
            if !isWaiting { MonotonicClock.sleep(milliseconds: 10) }
        }
        #expect(isWaiting)
        let text = """
            {"schema": 1, "boxes": [{"name": "team/b", "version": "2", "architecture": "amd64", \
            "sha256": "\(String(repeating: "ab", count: 32))", "source": "https://example.org/b.box"}]}
            """
        try AtomicFile.write(text, to: folder.appending("Wanderfile.lock"))
        OpenFileLock.unlock(other)
        #expect(try update.wait(milliseconds: 60_000) == .exited(0))
        let lock = try LockFile.read(folder.appending("Wanderfile.lock"))
        #expect(lock.entries.map { "\($0.box.name) \($0.box.version)" } == ["team/a 1.0", "team/b 2"])
    }

    @Test("what a refused change of a box in use advises works, and brings the change about")
    func adviceAboutUse() throws {
        defer { try? FileSystem.removeTree(folder) }
        try makeBox("one.box", name: "team/a", version: "1")
        try makeBox("other.box", name: "team/a", version: "1", megabytes: 1)
        #expect(try wander.run("box", "add", "one.box").status == 0)
        let box = try #require(try store.list().boxes.first)
        let project = folder.appending("project")
        try FileSystem.makeDirectory(project)
        try store.recordUse(of: box, machine: "web", directory: project)
        try FileSystem.removeTree(project)
        let refused = try wander.run("box", "add", "--force", "other.box")
        #expect(refused.status == 4)
        #expect(!refused.error.contains("--force "), "what was refused is not advised: \(refused.error)")
        let range = try #require(refused.error.firstRange(of: "wander box prune --forget-missing"), "\(refused.error)")
        let words = refused.error[range].split(separator: " ").dropFirst().map(String.init)
        #expect(try wander.run(words: words + ["--yes"]).status == 0)
        #expect(try wander.run("box", "add", "--force", "other.box").status == 0)
    }

    @Test("wrong usage is told apart from what is not there")
    func usage() throws {
        #expect(try wander.run("box", "add").status == 64)
        #expect(try wander.run("box", "add", "a", "b", "c").status == 64)
        #expect(try wander.run("box", "remove", "../x").status == 64)
        #expect(try wander.run("box", "remove", "x").status == 3)
        #expect(try wander.run("box", "add", "file:///nowhere/x.box").status == 3)
        #expect(try wander.run("box", "add", "team/unknown").status == 6)
    }

    @Test("killed at any instant of an add, the store has the box or does not, and the next add works")
    func killed() throws {
        let file = try makeBox("big.box", name: "big", version: "1", megabytes: 8)
        let identity = BoxIdentity(
            name: try BoxName("big"), version: try #require(BoxVersion("1")), architecture: .amd64)
        // How long an undisturbed add takes bounds the instants.
        let start = MonotonicClock.now
        #expect(try wander.run("box", "add", file.string).status == 0)
        let duration = max(1, MonotonicClock.now.milliseconds(since: start))
        try store.remove(identity)
        var outcomes: [Bool: Int] = [:]
        var options = ChildProcess.Options()
        options.output = .null
        options.error = .null
        options.environment = ["WANDER_HOME=\(store.root)", "PATH=/usr/bin:/bin"]
        for round in 0..<200 {
            let child = try ChildProcess.start(
                [WanderProcess.executable().string, "box", "add", "--force", file.string], options)
            // Spread over the whole run and a bit beyond, to the microsecond.
            let random = randomBytes(count: 4).reduce(0) { $0 << 8 | UInt64($1) }
            try sleep(microseconds: random % UInt64(duration * 1200))
            child.signal(9)
            _ = try child.wait()
            let listing = try store.list()
            #expect(listing.problems.isEmpty, "round \(round)")
            #expect(listing.boxes.count <= 1)
            outcomes[listing.boxes.isEmpty, default: 0] += 1
            guard let box = listing.boxes.first else { continue }
            try store.verify(box)
            // Half of the rounds start with the box, half without.
            if round % 2 == 0 { try store.remove(identity) }
        }
        #expect(
            outcomes[true] ?? 0 > 0 && outcomes[false] ?? 0 > 0, "\(outcomes): every kill came too early or too late")
        #expect(try wander.run("box", "add", "--force", file.string).status == 0)
        #expect(try FileSystem.list(store.root.appending("staging")).isEmpty)
        try store.verify(try #require(try store.box(identity)))
    }

    private func sleep(microseconds: UInt64) throws {
        let cancellation = try Cancellation()
        _ = cancellation.wait(milliseconds: Int64(microseconds / 1000))
    }
}
