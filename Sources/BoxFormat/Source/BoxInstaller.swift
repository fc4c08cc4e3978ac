public import Digest
public import LinuxSystem
public import Reporting
internal import SystemPackage

/// Brings boxes into the store: looks there first, asks catalogues, downloads, and keeps to the lock file.
public struct BoxInstaller: Sendable {
    public var store: BoxStore
    /// The catalogues to ask, in this order, for boxes without a location.
    public var catalogues: [CatalogueTemplate]
    /// The images that have a name: asked after a user's own ``catalogues``, and before the public registry.
    public var images: ImageCatalogues
    public var downloader: Downloader
    public var sink: any EventSink
    public var cancellation: Cancellation?

    public init(
        store: BoxStore, catalogues: [CatalogueTemplate], images: ImageCatalogues = .none,
        downloader: Downloader = Downloader(), sink: any EventSink = SilentSink(), cancellation: Cancellation? = nil
    ) {
        self.store = store
        self.catalogues = catalogues
        self.images = images
        self.downloader = downloader
        self.sink = sink
        self.cancellation = cancellation
    }

    public enum LockPolicy: Sendable {
        /// Uses what is locked, and locks what is not.
        case follow
        /// Refuses to change the lock.
        case frozen
    }

    /// The box that `request` asks for. If the store has it, there is no network request.
    ///
    /// With an entry in `lock`, it is exactly that box or an error. Without one, it is the newest fitting box of the
    /// store, else of the catalogues, and is added to `lock`; the caller writes the file.
    /// - Throws: ``BoxSourceError/lockedDigest(_:locked:actual:)`` if the box differs from the locked one.
    public func ensure(_ request: BoxRequest, lock: inout LockFile, policy: LockPolicy = .follow) throws -> Box {
        if let entry = lock.entry(for: request) {
            return try locked(entry, request)
        }
        guard policy != .frozen else { throw BoxSourceError.notLocked(request.label) }
        let box = if let present = try present(request) { present } else { try fetch(request) }
        try check(box, request.checksum)
        lock.set(LockFile.Entry(box, for: request))
        return box
    }

    /// The newest fitting box of the store that has its name for this project, too: another project's catalogue, and
    /// another project's box that calls itself so, say nothing here.
    private func present(_ request: BoxRequest) throws -> Box? {
        guard let name = request.name else { return nil }
        return try store.find(name, request.requirement, architecture: request.storeArchitecture) { box in
            guard !box.isOfProject else { return false }
            guard let catalogue = box.catalogue, ImageCatalogue.Origin.isProjects(catalogue) else { return true }
            return (try? images.find(name))??.origin.shown == catalogue
        }
    }

    private func locked(_ entry: LockFile.Entry, _ request: BoxRequest) throws -> Box {
        // The same bytes are the same box, whatever version somebody added them as.
        let box = try store.boxes(named: entry.box.name).first { $0.digest == entry.digest } ?? store.box(entry.box)
        if let box {
            guard box.digest == entry.digest else {
                throw BoxSourceError.lockedDigest(entry.box, locked: entry.digest, actual: box.digest)
            }
            try check(box, request.checksum)
            return box
        }
        var exact = request
        exact.name = entry.box.name
        exact.requirement = VersionRequirement(exactly: entry.box.version)
        do {
            return try add(exact, from: try find(exact), locked: entry, whenPresent: .use)
        } catch BoxSourceError.imageReplaced(let box, _, _)
            where !entry.source.contains("://") && entry.published == nil
        {
            // A box of that name that somebody added from a file is not the one that a distribution publishes.
            throw BoxSourceError.lockedElsewhere(box, source: entry.source)
        } catch BoxError.checksumMismatch(algorithm: .sha256, let expected, let actual)
            where expected == entry.digest.hexadecimal
        {
            guard let actual = SHA256Digest(actual) else { throw BoxError.invalidChecksum(actual) }
            throw BoxSourceError.lockedDigest(entry.box, locked: entry.digest, actual: actual)
        }
    }

    /// A checksum that the user states holds for boxes that are there already, too.
    func check(_ box: Box, _ expected: ExpectedChecksum?) throws {
        guard let expected else { return }
        if expected.algorithm == .sha256 {
            try expected.compare(with: box.digest.hexadecimal)
        } else if let known = box.checksums.first(where: { $0.algorithm == expected.algorithm }) {
            try expected.compare(with: known.hexadecimal)
        } else {
            throw BoxSourceError.checksumUnknown(box.identity, expected.algorithm)
        }
    }

    /// Moves the lock's entry for `request` to the newest fitting version.
    /// - Returns: The box, and the version that the lock had before.
    public func update(_ request: BoxRequest, lock: inout LockFile) throws -> (box: Box, from: LockFile.Entry?) {
        let old = lock.entry(for: request)
        let box = try newest(request)
        if let old { lock.remove(old.box) }
        lock.set(LockFile.Entry(box, for: request))
        return (box, old)
    }

    private func newest(_ request: BoxRequest) throws -> Box {
        let present = try present(request)
        let found: Found
        do {
            found = try find(request)
        } catch let error as BoxSourceError {
            // A box that was added by hand has no catalogue, and needs none to be reached: the newest one of the store
            // is the newest there is.
            switch (error, present) {
            case (.notInAnyCatalogue, let box?) where request.location == nil: return box
            case (.cataloguesUnreachable, let box?) where request.location == nil && box.catalogue == nil: return box
            default: throw error
            }
        }
        if case .image(let offer) = found { return try add(request, from: .image(offer), whenPresent: .use) }
        guard case .listed(let catalogue, let place) = found else {
            // A box at a fixed place: what is there now is what counts.
            return try add(request, from: found, whenPresent: .replace)
        }
        let (version, _) = try choose(catalogue, request)
        if let present, present.version >= version { return present }
        return try add(request, from: .listed(catalogue, place), whenPresent: .use)
    }

    /// Gets the box, whether or not one like it is in the store.
    public func fetch(
        _ request: BoxRequest, whenPresent: BoxStore.AddOptions.Presence = .use
    ) throws -> Box {
        try add(request, from: try find(request), whenPresent: whenPresent)
    }

    /// Deletes what an interrupted download of `location` left, so that the next one starts from nothing.
    public func forgetDownload(of location: BoxLocation) throws {
        try store.removeDownload(key: Self.downloadKey(location))
    }

    static func downloadKey(_ location: BoxLocation) -> String { SHA256Digest(of: Array("\(location)".utf8)).short }

    /// The newest version of the box that its catalogue lists and this request accepts, and whether that is another box
    /// than the one that there is.
    /// - Parameter current: What there is: its version and its archive's digest, as far as they are known.
    public func newestListed(
        _ request: BoxRequest, current: (version: BoxVersion, digest: SHA256Digest?)?
    ) throws -> (version: BoxVersion, isNews: Bool) {
        switch try find(request) {
        case .listed(let catalogue, _):
            let version = try choose(catalogue, request).version
            return (version, current.map { version > $0.version } ?? true)
        case .image(let offer):
            // A publisher's images are told apart by what they are: two may have one version.
            guard let box = try stored(offer) else { return (offer.version, true) }
            return (box.version, current?.digest.map { $0 != box.digest } ?? (current?.version != box.version))
        default: throw BoxSourceError.notACatalogue(request.label)
        }
    }
}
