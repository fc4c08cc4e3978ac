import Digest
import LinuxSystem
import Reporting
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import BoxFormat

/// Images by name, from a publisher that is as publishers are: moved, replaced, slow, half-way through an update, gone.
@Suite struct ImageMirrorTests {
    let folder: TemporaryFolder
    let store: BoxStore
    let server: HTTPFixture
    let name: BoxName
    var installer: BoxInstaller

    init() throws {
        folder = try TemporaryFolder()
        store = BoxStore(root: folder.path.appending("store"))
        server = try HTTPFixture()
        name = try BoxName("cloud/12")
        installer = BoxInstaller(store: store, catalogues: [])
        installer.downloader.patience = 2
        installer.images = try catalogue()
    }

    private static let image = QcowFixture.image()
    private static let other = QcowFixture.image(virtualSize: 2 << 30)

    /// A catalogue of one image, which is published in this form.
    private func catalogue(_ form: ChecksumForm = .sha256sums, more: String = "") throws -> ImageCatalogues {
        let text = """
            mirrors: { here: \(server.base) }
            images:
              cloud/12:
                title: Cloud 12
                from: here
                image: latest/cloud.qcow2
                checksums: latest/SUMS
                form: \(form.rawValue)
                user: debian
                memory: 256MiB
                firmware: uefi
            \(more)
            """
        let file = try folder.file("catalogue.yaml", Array(text.utf8))
        return ImageCatalogues([.user(file)], variable: { _ in nil })
    }

    private static func sums(_ image: [UInt8], name: String = "cloud.qcow2") -> [UInt8] {
        Array("\(SHA256Digest(of: image).hexadecimal)  \(name)\n".utf8)
    }

    private func publish(_ image: [UInt8], day: String = "24", sums: [UInt8]? = nil) {
        server.set("/latest/cloud.qcow2", image)
        server.set(
            "/latest/SUMS",
            HTTPFixture.Resource(body: sums ?? Self.sums(image), modified: "Tue, \(day) Nov 2026 12:00:00 GMT"))
    }

    private func requests(_ path: String) -> Int { server.requests.count { $0.hasPrefix("GET \(path) ") } }

    private func failure(_ body: () throws -> Void) throws -> BoxSourceError {
        try #require(#expect(throws: BoxSourceError.self) { try body() })
    }

    private func nothingIsLeft() throws -> Bool {
        try store.list().boxes.isEmpty && FileSystem.list(store.staging).isEmpty
            && (!FileSystem.exists(store.downloads) || FileSystem.list(store.downloads).isEmpty)
    }

    @Test(
        "a name becomes a box, verified by any form of list, and is then in the store", arguments: ChecksumForm.allCases
    )
    mutating func wholeWay(form: ChecksumForm) throws {
        defer { server.stop() }
        installer.images = try catalogue(form)
        let digits = try fileChecksum(
            folder.file("image", Self.image), [.sha512sums, .single].contains(form) ? .sha512 : .sha256,
            cancellation: nil)
        let example = ChecksumListTests.example(of: form, name: "cloud.qcow2")
        publish(Self.image, sums: Array(example.text.replacing(example.digits, with: digits).utf8))
        var lock = LockFile()
        let request = BoxRequest(name)
        let box = try installer.ensure(request, lock: &lock)
        #expect(box.identity.description == "cloud/12 20261124 (amd64)")
        #expect(box.user == "debian" && box.cloudInit && box.firmware == .uefi && box.smallestMemory == 256 << 20)
        #expect(box.kernel == nil && box.digest == SHA256Digest(of: Self.image))
        #expect(box.source == "\(server.base)/latest/cloud.qcow2" && box.checksums.map(\.hexadecimal) == [digits])
        #expect(lock.entries.map(\.digest) == [box.digest] && lock.entries.map(\.box) == [box.identity])
        // Another project, and this one again: nobody is asked.
        let count = server.requests.count
        #expect(count == 2)
        var another = LockFile()
        #expect(try installer.ensure(request, lock: &another) == box && another == lock)
        #expect(try installer.ensure(request, lock: &lock, policy: .frozen) == box)
        #expect(server.requests.count == count)
        // What is new is told by the list alone.
        #expect(try installer.newestListed(request, current: nil).version == box.version)
        #expect(try installer.update(request, lock: &lock).box == box)
        #expect(requests("/latest/cloud.qcow2") == 1)
        #expect(throws: BoxError.alreadyPresent(box.identity)) { try installer.fetch(request, whenPresent: .fail) }
    }

    @Test("update moves on to what is published; a second image of one day gets a number")
    func update() throws {
        defer { server.stop() }
        publish(Self.image)
        var lock = LockFile()
        let request = BoxRequest(name)
        let first = try installer.ensure(request, lock: &lock)
        publish(Self.other, day: "24")
        #expect(try installer.newestListed(request, current: nil).version.description == "20261124")
        let (second, from) = try installer.update(request, lock: &lock)
        #expect(second.version.description == "20261124.1" && from?.box == first.identity)
        #expect(second.digest == SHA256Digest(of: Self.other) && lock.entries.map(\.box) == [second.identity])
        publish(Self.image, day: "25")
        #expect(
            try installer.newestListed(request, current: nil).version == first.version,
            "published again, and still here")
        let wanted = BoxRequest(name, try VersionRequirement("> 20270101"))
        #expect(
            throws: BoxSourceError.noVersion(
                "cloud/12", requirement: "> 20270101", architecture: "amd64", available: ["20261124"])
        ) {
            try store.remove(first.identity)
            publish(Self.image, day: "24")
            _ = try installer.fetch(wanted)
        }
    }

    @Test("an image that is not what the list says is refused, and nothing of it stays")
    func wrongSum() throws {
        defer { server.stop() }
        publish(Self.image, sums: Self.sums(Self.other))
        let error = try failure { _ = try installer.fetch(BoxRequest(name)) }
        guard case .imageMismatch(let found, let expected, let actual) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(found.image.name == name && error.kind.exitStatus == 7)
        #expect(expected.hexadecimal == SHA256Digest(of: Self.other).hexadecimal)
        #expect(actual == SHA256Digest(of: Self.image).hexadecimal)
        #expect(error.summary.contains("/latest/cloud.qcow2 is not the image that"))
        #expect(try nothingIsLeft())
    }

    @Test("a publisher that replaces the image between list and image is followed once")
    func replacedMeanwhile() throws {
        defer { server.stop() }
        publish(Self.image)
        // Whoever asks for the image sets off the new list.
        server.set(
            "/latest/cloud.qcow2",
            HTTPFixture.Resource(body: Self.other, afterwards: ["/latest/SUMS": Self.sums(Self.other)]))
        let box = try installer.fetch(BoxRequest(name))
        #expect(box.digest == SHA256Digest(of: Self.other))
        #expect(requests("/latest/SUMS") == 2)
        try store.remove(box.identity)
        // One that keeps on is not.
        publish(Self.image)
        server.set(
            "/latest/cloud.qcow2",
            HTTPFixture.Resource(body: Self.other, afterwards: ["/latest/SUMS": Self.sums([1, 2, 3])]))
        guard case .imageMismatch = try failure({ _ = try installer.fetch(BoxRequest(name)) }) else {
            Issue.record("another error")
            return
        }
        #expect(try nothingIsLeft())
    }

    @Test("redirects are followed; a broken transfer goes on, or starts over where the server knows no ranges")
    func transfers() throws {
        defer { server.stop() }
        publish(Self.image)
        for resource in [
            HTTPFixture.Resource(status: 302, location: "/elsewhere"),
            HTTPFixture.Resource(body: Self.image, breakAfter: 300),
            HTTPFixture.Resource(body: Self.image, breakAfter: 300, acceptsRanges: false),
            HTTPFixture.Resource(body: Self.image, tag: nil, breakAfter: 300),
        ] {
            server.set("/elsewhere", Self.image)
            server.set("/latest/cloud.qcow2", resource)
            let box = try installer.fetch(BoxRequest(name))
            #expect(box.digest == SHA256Digest(of: Self.image))
            try store.remove(box.identity)
        }
        #expect(server.requests.contains { $0.contains("Range: bytes=300-") })
        #expect(try nothingIsLeft())
    }

    @Test("what is gone, or no list, is said with the URL and a way on", arguments: ["image", "sums", "page"])
    func gone(what: String) throws {
        defer { server.stop() }
        publish(Self.image)
        if what == "page" {
            server.set("/latest/SUMS", Array("<html>Sign in</html>".utf8))
        } else {
            server.set(what == "image" ? "/latest/cloud.qcow2" : "/latest/SUMS", HTTPFixture.Resource(status: 404))
        }
        let error = try failure { _ = try installer.fetch(BoxRequest(name)) }
        let url = "\(server.base)/latest/\(what == "image" ? "cloud.qcow2" : "SUMS")"
        #expect(error.kind == .network && error.summary.contains(url))
        if what == "page" {
            #expect(error.summary.contains("no checksum of cloud.qcow2 in the form SHA256SUMS"))
        } else {
            #expect(error.summary.contains("404") && error.remedy?.contains("WANDER_MIRROR_HERE=") == true)
        }
        #expect(try nothingIsLeft())
    }

    @Test(
        "a server that goes silent is given up in time, and what arrived stays if it can be continued",
        arguments: [true, false])
    func silent(hasTag: Bool) throws {
        defer { server.stop() }
        publish(Self.image)
        server.set(
            "/latest/cloud.qcow2",
            HTTPFixture.Resource(body: Self.image, tag: hasTag ? "\"1\"" : nil, stallAfter: 100))
        let start = MonotonicClock.now
        let sink = NotedEvents()
        var patient = installer
        patient.sink = sink
        patient.downloader.attempts = 2
        let error = try failure { _ = try patient.fetch(BoxRequest(name)) }
        #expect(MonotonicClock.now.milliseconds(since: start) < 20_000)
        guard case .imageUnreachable(_, .downloadFailed(_, _, let resumes)) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(resumes == hasTag)
        #expect(sink.notes.contains { $0.contains(hasTag ? "going on" : "starting over") })
        publish(Self.image)
        #expect(try installer.fetch(BoxRequest(name)).digest == SHA256Digest(of: Self.image))
        #expect(server.requests.contains { $0.contains("Range: bytes=100-") } == hasTag)
    }

    @Test("a locked image that is not here is fetched if it is still published, and refused before any download if not")
    func locked() throws {
        defer { server.stop() }
        publish(Self.image)
        var lock = LockFile()
        let request = BoxRequest(name)
        let box = try installer.ensure(request, lock: &lock)
        try store.remove(box.identity)
        #expect(try installer.ensure(request, lock: &lock, policy: .frozen).identity == box.identity)
        try store.remove(box.identity)
        publish(Self.other, day: "25")
        let count = requests("/latest/cloud.qcow2")
        let error = try failure { _ = try installer.ensure(request, lock: &lock) }
        #expect(
            error
                == .imageReplaced(
                    box.identity, locked: box.digest, published: try #require(BoxVersion("20261125"))))
        #expect(error.kind.exitStatus == 7 && requests("/latest/cloud.qcow2") == count)
        // The old image from a colleague, by the remedy's command: the same bytes are the same box.
        let file = try folder.file("cloud.qcow2", Self.image)
        var byHand = BoxRequest(name, location: .file(file))
        byHand.assignedVersion = nil
        let added = try installer.fetch(byHand)
        #expect(added.version == .unversioned && added.user == "debian" && added.cloudInit && added.firmware == .uefi)
        let before = server.requests.count
        #expect(try installer.ensure(request, lock: &lock, policy: .frozen) == added)
        #expect(server.requests.count == before)
    }

    @Test("a lock that means a box from a file does not take the image of that name for it")
    func lockedFile() throws {
        defer { server.stop() }
        publish(Self.image)
        let file = try folder.file(
            "own.box", BoxFixture.archive(BoxFixture.metadata(name: "cloud/12", version: "12.1")))
        var lock = LockFile()
        let own = try store.add(file).box
        #expect(try installer.ensure(BoxRequest(name), lock: &lock) == own)
        try store.remove(own.identity)
        let error = try failure { _ = try installer.ensure(BoxRequest(name), lock: &lock) }
        #expect(error == .lockedElsewhere(own.identity, source: own.source) && error.kind == .notFound)
        #expect(error.remedy?.contains("wander box add --name cloud/12 FILE") == true)
        #expect(requests("/latest/cloud.qcow2") == 0)
        #expect(try installer.update(BoxRequest(name), lock: &lock).box.digest == SHA256Digest(of: Self.image))
    }

    @Test("without a network the error names the file, its list and the command that adds it")
    func offline() throws {
        server.stop()
        let error = try failure { _ = try installer.fetch(BoxRequest(name)) }
        #expect(error.kind == .network)
        let remedy = try #require(error.remedy)
        for line in [
            "WANDER_MIRROR_HERE=URL_OR_FOLDER", "\(server.base)/latest/cloud.qcow2", "\(server.base)/latest/SUMS",
            "wander box add cloud/12 cloud.qcow2", "https_proxy",
        ] { #expect(remedy.contains(line), "\(remedy)") }
    }

    @Test("a mirror may be a folder")
    mutating func mirrorFolder() throws {
        defer { server.stop() }
        try FileSystem.makeDirectory(folder.path.pushing("mirror/latest"))
        _ = try folder.file("mirror/latest/cloud.qcow2", Self.image)
        _ = try folder.file("mirror/latest/SUMS", Self.sums(Self.image))
        let root = folder.path.pushing("mirror").string
        installer.images = ImageCatalogues(
            [.user(folder.path.appending("catalogue.yaml"))], variable: { $0 == "WANDER_MIRROR_HERE" ? root : nil })
        let box = try installer.fetch(BoxRequest(name))
        #expect(box.digest == SHA256Digest(of: Self.image) && box.source == "\(root)/latest/cloud.qcow2")
        #expect(server.requests.isEmpty)
        #expect(try FileSystem.exists(folder.path.pushing("mirror/latest/cloud.qcow2")), "not ours to remove")
    }

    @Test("two that want the same image at once download it once")
    func concurrent() throws {
        defer { server.stop() }
        publish(Self.image)
        let digests = Mutex<[SHA256Digest]>([])
        try Thread.forEach(Array(repeating: BoxRequest(name), count: 4), name: "fetch") { [installer] request in
            var lock = LockFile()
            guard let box = try? installer.ensure(request, lock: &lock) else { return }
            digests.withLock { $0.append(box.digest) }
        }
        #expect(digests.withLock { $0 } == Array(repeating: SHA256Digest(of: Self.image), count: 4))
        #expect(requests("/latest/cloud.qcow2") == 1)
    }

    @Test("an unknown name lists what is near; a server of the user's goes before the images")
    mutating func names() throws {
        defer { server.stop() }
        publish(Self.image)
        let error = try failure { _ = try installer.fetch(BoxRequest(BoxName("cloud12"))) }
        #expect(error == .notInAnyCatalogue("cloud12", attempts: [], near: ["cloud/12"]))
        #expect(error.remedy?.hasPrefix("Did you mean cloud/12?") == true)
        installer.catalogues = [CatalogueTemplate("\(server.base)/{user}/{name}")]
        #expect(
            try installer.newestListed(BoxRequest(name), current: nil).version.description == "20261124",
            "404 is an answer")
        server.set("/cloud/12", HTTPFixture.Resource(status: 403))
        // A team's server that refuses is not passed over.
        guard case .cataloguesUnreachable = try failure({ _ = try installer.fetch(BoxRequest(name)) }) else {
            Issue.record("another error")
            return
        }
    }

    @Test("what is no box says which URL sent it, and leaves nothing")
    func garbage() throws {
        defer { server.stop() }
        server.set("/x.box", Array("<html>proxy</html>".utf8))
        let location = try BoxLocation("\(server.base)/x.box")
        let error = try failure { _ = try installer.fetch(BoxRequest(name, location: location)) }
        guard case .unusableDownload("\(server.base)/x.box", .notAnArchive) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(error.summary.contains("\(server.base)/x.box") && !error.summary.contains("\(store.root)"))
        server.set("/y.box", HTTPFixture.Resource(status: 404))
        _ = try failure {
            _ = try installer.fetch(BoxRequest(name, location: try BoxLocation("\(server.base)/y.box")))
        }
        #expect(try nothingIsLeft())
    }
}

/// What a job said.
final class NotedEvents: EventSink {
    private let state = Mutex<[String]>([])
    var notes: [String] { state.withLock { $0 } }
    func report(_ event: Event, about subject: String?) {
        if case .note(let text) = event { state.withLock { $0.append(text) } }
    }
}
