import Digest
import JSON
import LinuxSystem
import Reporting
import SystemPackage
import TestSupport
import Testing

@testable import BoxFormat

@Suite struct InstallerTests {
    let folder: TemporaryFolder
    let store: BoxStore
    let server: HTTPFixture
    let installer: BoxInstaller
    let name: BoxName

    init() throws {
        folder = try TemporaryFolder()
        store = BoxStore(root: folder.path.appending("store"))
        server = try HTTPFixture()
        name = try BoxName("team/debian")
        installer = BoxInstaller(store: store, catalogues: [CatalogueTemplate("\(server.base)/{user}/{name}")])
    }

    private func archive(_ version: String, disk: [UInt8] = QcowFixture.header(), padding: Int = 0) -> [UInt8] {
        var tar = TarFixture()
        tar.add("metadata.json", Array(BoxFixture.metadata(name: "\(name)", version: version).utf8))
        tar.add("box.img", disk)
        var seed: UInt32 = 7
        tar.add(
            "padding",
            (0..<padding).map { _ in
                seed = seed &* 1_664_525 &+ 1_013_904_223
                return UInt8(truncatingIfNeeded: seed >> 24)
            })
        return tar.archive
    }

    /// Serves a catalogue of these versions, and the boxes.
    private func publish(
        _ versions: [String: [UInt8]], checksums: [String: String] = [:], at path: String = "/team/debian"
    ) {
        let list = versions.sorted { $0.key < $1.key }.map { version, bytes -> JSONValue in
            server.set("/boxes/\(version).box", bytes)
            return [
                "version": .string(version),
                "providers": [
                    [
                        "name": "libvirt", "url": .string("/boxes/\(version).box"), "architecture": "amd64",
                        "default_architecture": true, "checksum_type": "sha256",
                        "checksum": .string(checksums[version] ?? SHA256Digest(of: bytes).hexadecimal),
                    ]
                ],
            ]
        }
        let value: JSONValue = ["name": .string(name.description), "versions": .array(list)]
        server.set(path, Array(value.pretty.utf8))
    }

    @Test("follows catalogue, version and lock; asks nobody once the box is there")
    func wholeWay() throws {
        defer { server.stop() }
        publish(["1.0": archive("1.0"), "1.5": archive("1.5"), "2.0": archive("2.0")])
        var lock = LockFile()
        let request = BoxRequest(name, try VersionRequirement("~> 1.0"))
        let box = try installer.ensure(request, lock: &lock)
        #expect(box.version.description == "1.5")
        #expect(box.source == "\(server.base)/boxes/1.5.box" && box.catalogue == "\(server.base)/team/debian")
        let entry = try #require(lock.entry(name, request.requirement))
        #expect(entry.digest == SHA256Digest(of: archive("1.5")) && entry.box == box.identity)
        #expect(server.requests.count == 2)

        #expect(try installer.ensure(request, lock: &lock) == box)
        #expect(try installer.ensure(request, lock: &lock, policy: .frozen) == box)
        var empty = LockFile()
        #expect(try installer.ensure(request, lock: &empty) == box)
        #expect(empty == lock)
        #expect(server.requests.count == 2)

        // The lock holds although there is a newer one; update moves it on.
        publish(["1.5": archive("1.5"), "1.6": archive("1.6")])
        #expect(try installer.ensure(request, lock: &lock) == box)
        let (newer, from) = try installer.update(request, lock: &lock)
        #expect(newer.version.description == "1.6" && from == entry)
        #expect(lock.entries.map(\.box) == [newer.identity])
        #expect(try installer.newestListed(request, current: nil).version.description == "1.6")
        #expect(try FileSystem.list(store.downloads).isEmpty)
    }

    @Test("a locked box that is not there is fetched again, and only if it is the same")
    func lockedDigest() throws {
        defer { server.stop() }
        publish(["1.0": archive("1.0")])
        var lock = LockFile()
        let request = BoxRequest(name)
        let box = try installer.ensure(request, lock: &lock)
        try store.remove(box.identity)
        #expect(try installer.ensure(request, lock: &lock, policy: .frozen).digest == box.digest)
        try store.remove(box.identity)

        // The publisher puts other bytes under the same version, and says so in the catalogue.
        let other = archive("1.0", disk: QcowFixture.header(virtualSize: 2 << 30))
        publish(["1.0": other])
        let before = lock
        let expected = BoxSourceError.lockedDigest(box.identity, locked: box.digest, actual: SHA256Digest(of: other))
        let error = #expect(throws: BoxSourceError.self) { try installer.ensure(request, lock: &lock) }
        #expect(error == expected)
        #expect(error?.kind.exitStatus == 7)
        #expect(lock == before)
        #expect(try store.list().boxes.isEmpty)

        // The same box in the store already, but another digest.
        var manual = BoxStore.AddOptions()
        manual.name = name
        _ = try store.add(folder.file("other.box", other), manual)
        #expect(throws: expected) { try installer.ensure(request, lock: &lock) }
        #expect(throws: BoxSourceError.notLocked("other/box")) {
            var empty = lock
            _ = try installer.ensure(BoxRequest(BoxName("other/box")), lock: &empty, policy: .frozen)
        }
    }

    @Test("a wrong checksum, of the catalogue or the user, refuses the box; the user's counts beside the catalogue's")
    func checksums() throws {
        defer { server.stop() }
        let wrong = String(repeating: "0", count: 64)
        publish(["1.0": archive("1.0")], checksums: ["1.0": wrong])
        let digest = SHA256Digest(of: archive("1.0")).hexadecimal
        var lock = LockFile()
        #expect(throws: BoxError.checksumMismatch(algorithm: .sha256, expected: wrong, actual: digest)) {
            try installer.ensure(BoxRequest(name), lock: &lock)
        }
        publish(["1.0": archive("1.0")])
        var request = BoxRequest(name)
        request.checksum = try ExpectedChecksum.read(wrong)
        #expect(throws: BoxError.checksumMismatch(algorithm: .sha256, expected: wrong, actual: digest)) {
            try installer.ensure(request, lock: &lock)
        }
        #expect(lock == LockFile())
        #expect(try store.list().boxes.isEmpty && FileSystem.list(store.downloads).isEmpty)
        request.checksum = try ExpectedChecksum.read(digest)
        let box = try installer.ensure(request, lock: &lock)
        // Also for a box that is there by now.
        request.checksum = try ExpectedChecksum.read(wrong)
        #expect(throws: BoxError.self) { try installer.ensure(request, lock: &lock) }
        request.checksum = try ExpectedChecksum.read(String(repeating: "0", count: 40))
        #expect(throws: BoxSourceError.checksumUnknown(box.identity, .sha1)) {
            try installer.ensure(request, lock: &lock)
        }
    }

    @Test("says which versions there are when none will do, and refuses another box's catalogue")
    func noVersion() throws {
        defer { server.stop() }
        publish(["1.0": archive("1.0"), "1.10": archive("1.10")])
        let request = BoxRequest(name, try VersionRequirement("> 3"))
        #expect(
            throws: BoxSourceError.noVersion(
                "team/debian", requirement: "> 3", architecture: "amd64", available: ["1.10", "1.0"])
        ) { try installer.fetch(request) }
        publish(["1.0": archive("1.0")], at: "/team/other")
        #expect(throws: BoxSourceError.catalogueName(found: "team/debian", wanted: "team/other")) {
            try installer.fetch(BoxRequest(BoxName("team/other")))
        }
    }

    @Test("a second catalogue is asked when the first has not heard of the box; every attempt is named when none has")
    func severalCatalogues() throws {
        defer { server.stop() }
        publish(["1.0": archive("1.0")], at: "/second/team/debian")
        var both = installer
        both.catalogues.append(CatalogueTemplate("\(server.base)/second/{box}"))
        #expect(try both.fetch(BoxRequest(name)).version.description == "1.0")
        let error = #expect(throws: BoxSourceError.self) { try installer.fetch(BoxRequest(name)) }
        #expect(
            error
                == .notInAnyCatalogue(
                    "team/debian",
                    attempts: ["cannot download \(server.base)/team/debian: the server answered 404 (not found)"]))
        #expect(error?.kind.exitStatus == 6)
    }

    @Test("catalogues and boxes are also plain files, with relative paths")
    func files() throws {
        defer { server.stop() }
        _ = try folder.file("share/boxes/1.box", archive("1"))
        let text = #"""
            {"name":"team/debian","versions":[{"version":"1","providers":[{"name":"libvirt","url":"boxes/1.box"}]}]}
            """#
        let list = try folder.file("share/list.json", Array(text.utf8))
        let box = try installer.fetch(BoxRequest(name, location: .file(list)))
        #expect(box.source == folder.path.pushing("share/boxes/1.box").string)
        let direct = BoxRequest(try BoxName("direct"), location: .file(folder.path.pushing("share/boxes/1.box")))
        var lock = LockFile()
        #expect(try installer.ensure(direct, lock: &lock).name.description == "direct")
        let missing = folder.path.appending("missing.box")
        #expect(throws: BoxSourceError.noSuchFile(missing)) {
            try installer.fetch(BoxRequest(name, location: .file(missing)))
        }
        #expect(server.requests.isEmpty)
    }

    @Test("a box that a project names by its file is locked by that name, wherever the project lies, and keeps its own")
    func byFile() throws {
        defer { server.stop() }
        let file = try folder.file("one/base.box", archive("1.0"))
        let fallback = try BoxName("file/base")
        var lock = LockFile()
        let request = BoxRequest(at: .file(file), reference: "./base.box", fallbackName: fallback)
        let box = try installer.ensure(request, lock: &lock)
        #expect(box.name == name)
        #expect(lock.entries.map(\.source) == ["./base.box"])
        // Elsewhere, by somebody with an empty store.
        let moved = try folder.file("two/base.box", archive("1.0"))
        var other = installer
        other.store = BoxStore(root: folder.path.appending("other"))
        let same = BoxRequest(at: .file(moved), reference: "./base.box", fallbackName: fallback)
        let before = lock
        #expect(try other.ensure(same, lock: &lock, policy: .frozen).digest == box.digest)
        #expect(lock == before)
        // Changed: refused until somebody updates the lock.
        _ = try folder.file("two/base.box", archive("1.0", padding: 10))
        try other.store.remove(box.identity)
        #expect(throws: BoxSourceError.self) { try other.ensure(same, lock: &lock) }
        #expect(try other.update(same, lock: &lock).box.digest != box.digest)
        #expect(lock.entries.count == 1)
        // The store knows that name and version with other bytes.
        var fresh = LockFile()
        #expect(throws: BoxSourceError.differentBox(box.identity, file)) {
            try other.ensure(BoxRequest(at: .file(file), reference: "./base.box"), lock: &fresh)
        }
        let plain = try folder.file("disk.qcow2", QcowFixture.image())
        #expect(
            try installer.ensure(BoxRequest(at: .file(plain), fallbackName: fallback), lock: &lock).name == fallback)
    }

    @Test("URLs that differ in their query are boxes of their own, also in a lock that is shared")
    func queries() throws {
        defer { server.stop() }
        server.set("/get?box=web", QcowFixture.image(virtualSize: 1 << 30))
        server.set("/get?box=db", QcowFixture.image(virtualSize: 2 << 30))
        func request(_ box: String, _ name: String) throws -> BoxRequest {
            BoxRequest(at: try BoxLocation("\(server.base)/get?box=\(box)"), fallbackName: try BoxName(name))
        }
        var lock = LockFile()
        let web = try installer.ensure(request("web", "url/get-1"), lock: &lock)
        let db = try installer.ensure(request("db", "url/get-2"), lock: &lock)
        #expect(web.digest != db.digest && lock.entries.count == 2)
        #expect(!lock.text.contains("box=web"))
        let read = try LockFile(parsing: Array(lock.text.utf8))
        #expect(read == lock)
        let count = server.requests.count
        #expect(try installer.ensure(request("web", "url/get-1"), lock: &lock, policy: .frozen) == web)
        #expect(try installer.ensure(request("db", "url/get-2"), lock: &lock, policy: .frozen) == db)
        #expect(server.requests.count == count)
        // A lock of before there were digests knows the box by the name that it was given.
        var old = LockFile()
        old.set(LockFile.Entry(box: web.identity, digest: web.digest, source: web.source))
        #expect(try installer.ensure(request("web", "url/get-1"), lock: &old, policy: .frozen) == web)
        #expect(throws: BoxSourceError.self) {
            try installer.ensure(request("db", "url/get-2"), lock: &old, policy: .frozen)
        }
        // The same name and version with other bytes are not taken for it.
        var fresh = LockFile()
        #expect(throws: BoxSourceError.self) { try installer.ensure(request("db", "url/get-1"), lock: &fresh) }
    }

    @Test("a box at a URL that is not what was asked for is refused")
    func unwanted() throws {
        defer { server.stop() }
        server.set("/x.box", archive("1.0"))
        let location = try BoxLocation("\(server.base)/x.box")
        let identity = BoxIdentity(name: name, version: try #require(BoxVersion("1.0")), architecture: .amd64)
        #expect(throws: BoxSourceError.unwantedVersion(identity, requirement: "> 1")) {
            try installer.fetch(BoxRequest(name, VersionRequirement("> 1"), location: location))
        }
        #expect(throws: BoxSourceError.unwantedArchitecture(identity, wanted: .arm64)) {
            try installer.fetch(BoxRequest(name, architecture: .arm64, location: location))
        }
        #expect(try store.list().boxes.isEmpty)
    }

    @Test("a download that breaks off goes on where it was, and starts again if the file changed or ranges are unknown")
    func resume() throws {
        defer { server.stop() }
        let first = archive("1.0", padding: 600_000)
        server.set("/x.box", HTTPFixture.Resource(body: first, breakAfter: 400_000))
        let request = BoxRequest(name, location: try BoxLocation("\(server.base)/x.box"))
        let box = try installer.fetch(request)
        #expect(box.digest == SHA256Digest(of: first))
        #expect(server.requests.count == 2)
        let range = try #require(server.requests[1].split(separator: "\r\n").first { $0.hasPrefix("Range:") })
        #expect(range.hasPrefix("Range: bytes=") && !range.hasPrefix("Range: bytes=0-"))

        try store.remove(box.identity)
        server.set("/y.box", HTTPFixture.Resource(body: first, breakAfter: 300_000, acceptsRanges: false))
        let other = BoxRequest(name, location: try BoxLocation("\(server.base)/y.box"))
        #expect(try installer.fetch(other).digest == SHA256Digest(of: first))
        #expect(server.requests.count == 5)

        // An interrupted command leaves a part; meanwhile the file changes.
        try store.remove(box.identity)
        var once = installer
        once.downloader.attempts = 1
        server.set("/z.box", HTTPFixture.Resource(body: first, breakAfter: 300_000))
        let third = BoxRequest(name, location: try BoxLocation("\(server.base)/z.box"))
        #expect(throws: BoxSourceError.self) { try once.fetch(third) }
        #expect(try FileSystem.list(store.downloads).count == 2)
        let second = archive("1.0", padding: 650_000)
        server.set("/z.box", HTTPFixture.Resource(body: second, tag: "\"2\""))
        #expect(try installer.fetch(third).digest == SHA256Digest(of: second))
        #expect(try FileSystem.list(store.downloads).isEmpty)
    }

    @Test("credentials in a URL log in, and appear in no message, record or process list")
    func credentials() throws {
        defer { server.stop() }
        server.set("/x.box", HTTPFixture.Resource(body: archive("1.0"), login: "bWU6czNjcmV0"))
        let good = "http://me:s3cret@127.0.0.1:\(server.port)/x.box?token=s3cret"
        server.set("/x.box?token=s3cret", HTTPFixture.Resource(body: archive("1.0"), login: "bWU6czNjcmV0"))
        let box = try installer.fetch(BoxRequest(name, location: try BoxLocation(good)))
        #expect(box.source == "http://127.0.0.1:\(server.port)/x.box")
        let record = try FileSystem.read(box.directory.removingLastComponent().appending("record.json"))
        #expect(!String(decoding: record, as: UTF8.self).contains("s3cret"))
        let bad = try BoxLocation("http://me:wr0ng@127.0.0.1:\(server.port)/x.box")
        let error = #expect(throws: BoxSourceError.self) { try installer.fetch(BoxRequest(name, location: bad)) }
        #expect(error == .httpStatus(url: "http://127.0.0.1:\(server.port)/x.box", status: 401))
        #expect("\(error?.summary ?? "")\(error?.remedy ?? "")".contains("wr0ng") == false)
    }

    @Test("follows redirects, and refuses one from https to http")
    func redirects() throws {
        defer { server.stop() }
        server.set("/a.box", HTTPFixture.Resource(location: "/b.box"))
        server.set("/b.box", archive("1.0"))
        let box = try installer.fetch(BoxRequest(name, location: try BoxLocation("\(server.base)/a.box")))
        #expect(box.version.description == "1.0")
        func configuration(_ url: String) throws -> String {
            let transfer = Transfer(
                url: url, location: try BoxLocation(url), options: .init(), partPath: "p", notePath: "n", start: 0,
                sizeLimit: 1, patience: 30,
                label: "", sink: SilentSink())
            return transfer.configuration(headers: "h")
        }
        #expect(try configuration("https://host/x").contains(#"proto-redir = "=https""#))
        #expect(try configuration("http://host/x").contains(#"proto-redir = "=http,https""#))
        #expect(try configuration(#"http://host/"\x"#).contains(#"url = "http://host/\"\\x""#))
    }

    @Test("a server that is not there is a network error")
    func unreachable() throws {
        server.stop()
        let request = BoxRequest(name, location: try BoxLocation("http://127.0.0.1:1/x.box"))
        let error = #expect(throws: BoxSourceError.self) { try installer.fetch(request) }
        #expect(error?.kind == .network)
    }

    @Test("two that fetch the same box at once download it once")
    func concurrent() throws {
        defer { server.stop() }
        publish(["1.0": archive("1.0", padding: 300_000)])
        let requests = [BoxRequest(name), BoxRequest(name), BoxRequest(name)]
        try Thread.forEach(requests, name: "fetch") { [installer] request in
            var lock = LockFile()
            _ = try? installer.ensure(request, lock: &lock)
        }
        #expect(try store.list().boxes.count == 1)
        #expect(server.requests.filter { $0.hasPrefix("GET /boxes/1.0.box") }.count == 1)
    }
}

@Suite struct HTTPDateTests {
    @Test(
        "reads what servers write",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600), ("Sunday, 06-Nov-94 08:49:37 GMT", nil), ("", nil),
            ("Sun, 06 Nov 1994 08:49:37 CET", nil), ("Sun, 99 Nov 1994 08:49:37 GMT", nil),
        ] as [(String, Int64?)])
    func dates(text: String, seconds: Int64?) { #expect(HTTPDate.seconds(text) == seconds) }

    @Test("a date of modification tells versions apart only if the file was old when it was sent")
    func validator() {
        func validator(_ date: String, _ more: String = "") -> String? {
            let head = "HTTP/1.1 200 OK\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\(date)\(more)\r\n"
            return HTTPResponse(headers: Array(head.utf8)).validator
        }
        #expect(validator("Date: Sun, 06 Nov 1994 08:50:37 GMT\r\n") == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(validator("Date: Sun, 06 Nov 1994 08:50:36 GMT\r\n") == nil)
        #expect(validator("") == nil)
        #expect(validator("", "ETag: \"x\"\r\n") == "\"x\"")
    }
}

@Suite struct LockFileTests {
    @Test("reads back what it writes, in an order that does not depend on how it came about")
    func roundTrip() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("Wanderfile.lock")
        #expect(try LockFile.read(path) == LockFile())
        var one = LockFile()
        var other = LockFile()
        let entries = try [("b/x", "10"), ("b/x", "9"), ("a", "1")].map { name, version in
            LockFile.Entry(
                box: BoxIdentity(
                    name: try BoxName(name), version: try #require(BoxVersion(version)), architecture: .amd64),
                digest: SHA256Digest(of: Array(name.utf8)), source: "https://host/\(name)")
        }
        for entry in entries { one.set(entry) }
        for entry in entries.reversed() { other.set(entry) }
        #expect(one.text == other.text)
        #expect(one.entries.map { "\($0.box.name) \($0.box.version)" } == ["a 1", "b/x 9", "b/x 10"])
        try one.write(path)
        #expect(try LockFile.read(path) == one)
        #expect(try one.entry(BoxName("b/x"), VersionRequirement("< 10"))?.box.version.description == "9")
        #expect(try one.entry(BoxName("b/x"), architecture: .arm64) == nil)
    }

    @Test("what cannot be looked at is an error, and not a file without boxes")
    func failingLookup() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("Wanderfile.lock")
        // A link to itself: stat(2) and open(2) fail with ELOOP, for root too.
        try folder.run("ln", "-s", "Wanderfile.lock", "Wanderfile.lock")
        let error = #expect(throws: BoxSourceError.self) { try LockFile.read(path) }
        guard case .invalidLock(path, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("the next writer removes what a killed one left, and nothing that somebody is writing")
    func leftovers() throws {
        let folder = try TemporaryFolder()
        _ = try folder.file("Wanderfile.lock.0123abcd.tmp", [1])
        _ = try folder.file("notes.0123abcd.tmp")
        let used = try folder.file("Wanderfile.lock.89abcdef.tmp")
        let writer = try OwnedDescriptor.open(used, .readWrite)
        #expect(try OpenFileLock.tryLock(writer, .exclusive))
        try LockFile().write(folder.path.appending("Wanderfile.lock"))
        #expect(
            try folder.tree() == ["Wanderfile.lock", "Wanderfile.lock.89abcdef.tmp", "notes.0123abcd.tmp"])
        writer.close()
    }

    @Test(
        "refuses what it did not write",
        arguments: [
            "", "{}", #"{"schema":2,"boxes":[]}"#, #"{"schema":1,"boxes":[{"name":"a"}]}"#, "<<<<<<< HEAD",
            #"{"schema":1,"boxes":[{"name":"a","version":"1","architecture":"amd64","sha256":"0","source":"x"}]}"#,
        ])
    func malformed(text: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("Wanderfile.lock", Array(text.utf8))
        let error = #expect(throws: BoxSourceError.self) { try LockFile.read(path) }
        #expect(error?.kind == .invalidConfiguration)
    }
}
