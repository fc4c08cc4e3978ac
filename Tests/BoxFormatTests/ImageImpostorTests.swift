import Digest
import Glibc
import LinuxSystem
import Reporting
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import BoxFormat

/// Only the very bytes that a publisher states are its image, whatever else has its name, its version or its URL.
@Suite struct ImageImpostorTests {
    let folder: TemporaryFolder
    let store: BoxStore
    let server: HTTPFixture
    let name: BoxName
    var installer: BoxInstaller

    private static let image = QcowFixture.image()
    private static let other = QcowFixture.image(virtualSize: 2 << 30)

    init() throws {
        folder = try TemporaryFolder()
        store = BoxStore(root: folder.path.appending("store"))
        server = try HTTPFixture()
        name = try BoxName("cloud/12")
        installer = BoxInstaller(store: store, catalogues: [])
        installer.downloader.patience = 2
        installer.images = try catalogue()
    }

    /// - Parameter project: The folder of the project whose catalogue it is; nil for the user's.
    private func catalogue(
        _ fields: String = "version: \"1.0\"", form: ChecksumForm = .sha256sums, image: String = "cloud.qcow2",
        project: String? = nil
    ) throws -> ImageCatalogues {
        let text = """
            mirrors: { here: \(server.base) }
            images:
              cloud/12: { title: Cloud 12, from: here, image: "\(image)", checksums: SUMS, form: \(form.rawValue), \(fields) }
            """
        let path = project.map { "\($0)/\(ImageCatalogues.projectFileName)" } ?? "catalogue.yaml"
        let file = try folder.file(path, Array(text.utf8))
        return ImageCatalogues([project == nil ? .user(file) : .project(file)], variable: { _ in nil })
    }

    private func publish(_ image: [UInt8], _ algorithm: ChecksumAlgorithm = .sha256, day: String = "24") throws {
        let digits = try fileChecksum(folder.file("published", image), algorithm, cancellation: nil)
        server.set("/cloud.qcow2", image)
        server.set(
            "/SUMS",
            HTTPFixture.Resource(
                body: Array("\(digits)  cloud.qcow2\n".utf8), modified: "Tue, \(day) Nov 2026 12:00:00 GMT"))
    }

    private var downloads: Int { server.requests.count { $0.hasPrefix("GET /cloud.qcow2 ") } }

    @Test("what somebody else adds from the same URL meanwhile, under its own name, is not the image")
    func sameURL() throws {
        defer { server.stop() }
        try publish(Self.image)
        let url = try BoxLocation("\(server.base)/cloud.qcow2")
        try store.prepare()
        let held = Mutex<BoxStore.HeldLock?>(
            try store.lock("download-\(BoxInstaller.downloadKey(url))", waiting: nil, cancellation: nil))
        let result = Mutex<Box?>(nil)
        let waits = NotedEvents()
        var patient = installer
        patient.sink = waits
        let (fetching, wrong, store, name) = (patient, try folder.file("wrong", Self.other), store, name)
        try Thread.forEach([true, false], name: "fetch") { (isFetching: Bool) in
            if isFetching {
                let box = try? fetching.fetch(BoxRequest(name))
                result.withLock { $0 = box }
            } else {
                for _ in 0..<3000 where !waits.notes.contains(where: { $0.contains("another wander is downloading") }) {
                    usleep(10_000)
                }
                var options = BoxStore.AddOptions()
                (options.name, options.source) = (try? BoxName("other/thing"), url.shown)
                _ = try? store.add(wrong, options)
                held.withLock { $0 = nil }
            }
        }
        #expect(try store.list().boxes.map(\.name.description) == ["cloud/12", "other/thing"])
        #expect(result.withLock { $0 }?.digest == SHA256Digest(of: Self.image))
    }

    @Test("a box that takes the version meanwhile leaves the image another one")
    mutating func sameVersion() throws {
        defer { server.stop() }
        try publish(Self.image)
        let wrong = try folder.file("wrong", Self.other)
        let (store, name) = (store, name)
        installer.sink = AtStep("Getting") {
            var options = BoxStore.AddOptions()
            (options.name, options.version) = (name, BoxVersion("1.0"))
            _ = try? store.add(wrong, options)
        }
        let box = try installer.fetch(BoxRequest(name))
        #expect(box.digest == SHA256Digest(of: Self.image) && box.version.description == "1.0.1")
    }

    @Test("a project's catalogue names images for that project alone")
    mutating func otherProject() throws {
        defer { server.stop() }
        try publish(Self.other)
        installer.images = try catalogue("version: \"99999999\"", project: "evil")
        var lock = LockFile()
        let evil = try installer.ensure(BoxRequest(name), lock: &lock)
        #expect(evil.version.description == "99999999")
        lock = LockFile()
        #expect(try installer.ensure(BoxRequest(name), lock: &lock) == evil, "its own project knows it")
        try publish(Self.image)
        installer.images = try catalogue()
        lock = LockFile()
        #expect(try installer.ensure(BoxRequest(name), lock: &lock).digest == SHA256Digest(of: Self.image))
    }

    @Test("a project's box has the name that it gives itself for that project alone, until somebody adds it")
    mutating func selfNamed() throws {
        defer { server.stop() }
        try publish(Self.image)
        let file = try folder.file(
            "evil.box", BoxFixture.archive(BoxFixture.metadata(name: "cloud/12", version: "99999999")))
        var lock = LockFile()
        var request = BoxRequest(at: .file(file), reference: "./evil.box")
        request.isOfProject = true
        let evil = try installer.ensure(request, lock: &lock)
        // By its lock, too.
        try store.remove(evil.identity)
        #expect(try installer.ensure(request, lock: &lock).isOfProject)
        #expect(evil.isOfProject && evil.name == name)
        lock = LockFile()
        #expect(try installer.ensure(BoxRequest(name), lock: &lock).digest == SHA256Digest(of: Self.image))
        #expect(try installer.fetch(BoxRequest(at: .file(file))).isOfProject == false)
        lock = LockFile()
        #expect(try installer.ensure(BoxRequest(name), lock: &lock).version == evil.version)
    }

    @Test("the same image of a list with a later date is the locked one; another is refused before any download")
    mutating func later() throws {
        defer { server.stop() }
        installer.images = try catalogue("cloud_init: true", form: .sha512sums)
        try publish(Self.image, .sha512, day: "24")
        var lock = LockFile()
        let box = try installer.ensure(BoxRequest(name), lock: &lock)
        #expect(lock.entries.first?.published?.algorithm == .sha512)
        lock = try LockFile(parsing: Array(lock.text.utf8))
        try store.remove(box.identity)
        try publish(Self.image, .sha512, day: "27")
        #expect(try installer.ensure(BoxRequest(name), lock: &lock).identity == box.identity)
        try store.remove(box.identity)
        try publish(Self.other, .sha512, day: "24")
        let before = downloads
        #expect {
            try installer.ensure(BoxRequest(name), lock: &lock)
        } throws: { error in
            guard case BoxSourceError.imageReplaced(box.identity, _, _) = error else { return false }
            return true
        }
        #expect(downloads == before)
    }

    @Test("an image that was replaced while it was downloaded has the version of what came")
    mutating func replaced() throws {
        defer { server.stop() }
        installer.images = try catalogue("cloud_init: true", form: .sha512sums)
        try publish(Self.image, .sha512, day: "24")
        let digits = try fileChecksum(folder.file("new", Self.other), .sha512, cancellation: nil)
        server.set(
            "/cloud.qcow2",
            HTTPFixture.Resource(body: Self.other, afterwards: ["/SUMS": Array("\(digits)  cloud.qcow2\n".utf8)]))
        let box = try installer.fetch(BoxRequest(name))
        #expect(box.digest == SHA256Digest(of: Self.other) && box.version == .unversioned)
    }

    @Test("a second image under one version is news")
    func news() throws {
        defer { server.stop() }
        try publish(Self.image)
        let request = BoxRequest(name)
        let first = try installer.fetch(request)
        let current = (version: first.version, digest: Optional(first.digest))
        #expect(try !installer.newestListed(request, current: current).isNews)
        try publish(Self.other)
        #expect(try installer.newestListed(request, current: current) == (first.version, true))
    }

    @Test("a whole download that came no further is used, and one of another image is not")
    func kept() throws {
        defer { server.stop() }
        try publish(Self.image)
        let key = BoxInstaller.downloadKey(try BoxLocation("\(server.base)/cloud.qcow2"))
        try store.prepare()
        for (bytes, count) in [(Self.other, 1), (Self.image, 1)] {
            try FileSystem.makeDirectory(store.downloads)
            _ = try folder.file("store/downloads/\(key)", bytes)
            let box = try installer.fetch(BoxRequest(name))
            #expect(box.digest == SHA256Digest(of: Self.image) && downloads == count)
            #expect(try FileSystem.list(store.downloads).isEmpty)
            try store.remove(box.identity)
        }
    }

    @Test("an image of another architecture is refused before its first byte")
    mutating func architecture() throws {
        defer { server.stop() }
        try publish(Self.image)
        installer.images = try catalogue("architecture: arm64")
        #expect {
            try installer.fetch(BoxRequest(name))
        } throws: { error in
            guard case BoxSourceError.unwantedArchitecture = error else { return false }
            return true
        }
        #expect(downloads == 0)
    }

    @Test("what is locked is found under any version, though another box has the locked one")
    func otherVersion() throws {
        defer { server.stop() }
        try publish(Self.image)
        var lock = LockFile()
        let locked = try installer.ensure(BoxRequest(name), lock: &lock)
        try store.remove(locked.identity)
        for (version, bytes) in [("1.0", Self.other), ("0.9", Self.image)] {
            var options = BoxStore.AddOptions()
            (options.name, options.version) = (name, BoxVersion(version))
            _ = try store.add(folder.file("image", bytes), options)
        }
        #expect(try installer.ensure(BoxRequest(name), lock: &lock, policy: .frozen).version.description == "0.9")
    }

    @Test("a name in an URL is what it means in the list")
    mutating func escaped() throws {
        defer { server.stop() }
        installer.images = try catalogue(image: "the%20cloud.qcow2")
        let found = try #require(try installer.images.find(name))
        #expect(found.image.fileName == "the cloud.qcow2")
    }
}

/// Does something once, when a step with these words begins.
private final class AtStep: EventSink {
    private let words: String
    private let action: @Sendable () -> Void
    private let isDone = Atomic(false)

    init(_ words: String, _ action: @escaping @Sendable () -> Void) {
        self.words = words
        self.action = action
    }

    func report(_ event: Event, about subject: String?) {
        guard case .step(let text) = event, text.contains(words), !isDone.exchange(true, ordering: .relaxed) else {
            return
        }
        action()
    }
}
