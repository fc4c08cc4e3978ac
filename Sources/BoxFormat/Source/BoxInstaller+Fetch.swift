internal import Digest
internal import LinuxSystem
internal import Reporting
internal import SystemPackage

extension BoxInstaller {
    /// What is at a location.
    enum Found {
        /// A catalogue and where it is.
        case listed(Catalogue, BoxLocation)
        /// An image of a distribution, by its name.
        case image(ImageOffer)
        /// The box itself: a file of this machine.
        case file(FilePath)
        /// The box itself, downloaded; the lock holds off others, and the file goes when the box is in the store.
        case downloaded(FilePath, BoxLocation, lock: BoxStore.HeldLock)
        /// Somebody else downloaded and added it while we waited.
        case present(Box)
    }

    func find(_ request: BoxRequest) throws -> Found {
        if let location = request.location {
            return try look(at: location, label: request.label, name: request.name)
        }
        guard let name = request.name else { throw BoxSourceError.invalidLocation("") }
        var attempts: [BoxSourceError] = []
        // Who names catalogues means those before all others; the public registry comes last.
        if let found = try ask(catalogues.filter { $0 != .standard }, name, &attempts) { return found }
        let isOpen = attempts.contains { !$0.isAnswer }
        if !isOpen, let image = try images.find(name) { return .image(try offer(image)) }
        if let found = try ask(catalogues.filter { $0 == .standard }, name, &attempts) { return found }
        let near = try nearNames(name)
        throw attempts.allSatisfy(\.isAnswer)
            ? BoxSourceError.notInAnyCatalogue(name.description, attempts: attempts.map(\.summary), near: near)
            : .cataloguesUnreachable(name.description, attempts: attempts.map(\.summary), near: near)
    }

    /// Asks servers' catalogues one after the other.
    private func ask(
        _ templates: [CatalogueTemplate], _ name: BoxName, _ attempts: inout [BoxSourceError]
    ) throws -> Found? {
        for template in templates {
            guard let location = try template.location(of: name) else { continue }
            do {
                guard case .listed(let catalogue, let place) = try look(at: location, label: name.description)
                else {
                    throw BoxSourceError.notACatalogue(location.shown)
                }
                return .listed(catalogue, place)
            } catch let error as BoxSourceError {
                attempts.append(error)
            }
        }
        return nil
    }

    /// Names of the store, of the catalogues of images, and of wander's own boxes, that may have been meant.
    func nearNames(_ name: BoxName) throws -> [String] {
        let known = try images.all().flatMap(\.images).map { (name: $0.name.description, words: $0.title) }
        let stored = Set(try store.list().boxes.map(\.name)).sorted().map { (name: $0.description, words: "") }
        return NearNames.near(name.description, in: stored + known + [(name: "wander/tiny", words: "")])
            .filter { $0 != name.description }
    }

    /// Gets what is at `location` and tells a catalogue from a box by its first byte: no archive or image starts with
    /// `{`.
    /// - Parameters:
    ///   - present: The box of the store that would do. It is asked once nobody else downloads from there any more. nil:
    ///     whatever somebody else has just added from there.
    ///   - isWanted: Whether a file that was downloaded earlier, and came no further, is what is wanted.
    func look(
        at location: BoxLocation, label: String, name: BoxName? = nil, present: (() throws -> Box?)? = nil,
        isWanted: (FilePath) throws -> Bool = { _ in false }
    ) throws -> Found {
        switch location {
        case .file(let path):
            guard let status = try FileSystem.status(path), status.kind == .regular else {
                throw BoxSourceError.noSuchFile(path)
            }
            guard try isCatalogue(path) else { return .file(path) }
            return .listed(try catalogue(path, at: location), location)
        case .web:
            try store.prepare()
            let key = Self.downloadKey(location)
            let began = wallClockSeconds()
            let lock = try store.lock(
                "download-\(key)", waiting: "another wander is downloading \(location.shown); waiting for it",
                sink: sink,
                cancellation: cancellation)
            if let present {
                if let box = try present() { return .present(box) }
                // A box says where it came from without the query: another one could be meant.
            } else if lock.hasWaited, location.queryDigest == nil,
                let box = try store.list().boxes.first(where: { box in
                    box.source == location.shown && box.added >= began && (name == nil || name == box.name)
                })
            {
                return .present(box)
            }
            let target = store.downloads.appending(key)
            try sweepDownloads(except: key)
            if try FileSystem.status(target, followLinks: false)?.kind == .regular, try isWanted(target) {
                return .downloaded(target, location, lock: lock)
            }
            try downloader.download(
                location, to: target, label: "downloading \(label)", sink: sink, cancellation: cancellation)
            guard try isCatalogue(target) else { return .downloaded(target, location, lock: lock) }
            defer { try? FileSystem.remove(target) }
            return .listed(try catalogue(target, at: location), location)
        }
    }

    private func isCatalogue(_ path: FilePath) throws -> Bool {
        let start = try OwnedDescriptor.open(path, .readOnly).read(upTo: 64)
        return start.first { ![0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf].contains($0) } == UInt8(ascii: "{")
    }

    private func catalogue(_ path: FilePath, at location: BoxLocation) throws -> Catalogue {
        guard let size = try FileSystem.status(path)?.size, size <= Catalogue.sizeLimit else {
            throw BoxSourceError.tooLarge(url: location.shown, limit: ByteCount(UInt64(Catalogue.sizeLimit)))
        }
        return try Catalogue(parsing: FileSystem.read(path, limit: Catalogue.sizeLimit), place: location.shown)
    }

    /// The fitting version and box of `catalogue`.
    func choose(_ catalogue: Catalogue, _ request: BoxRequest) throws -> (version: BoxVersion, entry: Catalogue.Entry) {
        if let name = request.name, catalogue.name != name.description {
            throw BoxSourceError.catalogueName(found: catalogue.name, wanted: name.description)
        }
        guard let choice = catalogue.choose(request.requirement, architecture: request.architecture) else {
            throw BoxSourceError.noVersion(
                catalogue.name, requirement: request.requirement.description,
                architecture: request.storeArchitecture.description,
                available: catalogue.available(architecture: request.architecture).map(\.description))
        }
        return choice
    }

    /// Puts what was found into the store.
    func add(
        _ request: BoxRequest, from found: Found, locked: LockFile.Entry? = nil,
        whenPresent: BoxStore.AddOptions.Presence
    ) throws -> Box {
        let digest = locked?.digest
        var options = BoxStore.AddOptions()
        options.name = request.name
        options.fallbackName = request.fallbackName
        let known = try request.name.flatMap { try images.find($0)?.image }
        options.version = locked?.box.version ?? request.assignedVersion ?? known?.version
        options.diskFormat = request.diskFormat
        options.facts = request.facts ?? known?.facts
        options.architecture = locked?.box.architecture
        options.whenPresent = whenPresent
        options.isOfProject = request.isOfProject
        options.checksums = [request.checksum, digest.map { ExpectedChecksum($0) }].compactMap(\.self)
        options.accept = { [request] box in
            guard request.requirement.isSatisfied(by: box.version) else {
                throw BoxSourceError.unwantedVersion(box, requirement: request.requirement.description)
            }
            guard box.architecture == request.storeArchitecture || box.architecture == .unknown else {
                throw BoxSourceError.unwantedArchitecture(box, wanted: request.storeArchitecture)
            }
        }
        switch found {
        case .present(let box): return try accept(box, request, options, digest)
        case .image(let offer):
            return try ImageAddition(installer: self, request: request, given: options, locked: locked).run(offer)
        case .file(let path):
            let (box, outcome) = try store.add(path, options, sink: sink, cancellation: cancellation)
            // Nobody looked into the file: the box is known by its name and version alone.
            if outcome == .present,
                try fileChecksum(path, .sha256, cancellation: cancellation) != box.digest.hexadecimal
            {
                throw BoxSourceError.differentBox(box.identity, path)
            }
            return box
        case .downloaded(let path, let location, let lock):
            defer { withExtendedLifetime(lock) {} }
            options.source = location.shown
            return try addDownload(path, options)
        case .listed(let catalogue, let place):
            let (version, entry) = try choose(catalogue, request)
            let name = try BoxName(catalogue.name)
            options.name = name
            options.version = version
            options.architecture = entry.architecture
            options.catalogue = place.shown
            if let checksum = entry.checksum { options.checksums.append(checksum) }
            let known = BoxIdentity(name: name, version: version, architecture: entry.architecture)
            let present: () throws -> Box? = { [store] in
                guard whenPresent == .use, let box = try store.box(known) else { return nil }
                return digest == nil || digest == box.digest ? box : nil
            }
            if let box = try present() { return box }
            if whenPresent == .fail, try store.box(known) != nil { throw BoxError.alreadyPresent(known) }
            let location = try place.resolving(entry.url)
            options.source = location.shown
            switch try look(at: location, label: "\(name) \(version)", present: present) {
            case .file(let path):
                return try store.add(path, options, sink: sink, cancellation: cancellation).box
            case .downloaded(let path, _, let lock):
                defer { withExtendedLifetime(lock) {} }
                return try addDownload(path, options)
            case .present(let box): return try accept(box, request, options, digest)
            case .listed, .image:
                throw BoxSourceError.unusableDownload(url: location.shown, .notAnArchive(FilePath(location.shown)))
            }
        }
    }

    /// A box that another process added must be what this one wants, too.
    func accept(
        _ box: Box, _ request: BoxRequest, _ options: BoxStore.AddOptions, _ digest: SHA256Digest?
    ) throws -> Box {
        try options.accept(box.identity)
        try check(box, request.checksum)
        if let digest, digest != box.digest {
            throw BoxSourceError.lockedDigest(box.identity, locked: digest, actual: box.digest)
        }
        return box
    }

    func addDownload(_ path: FilePath, _ options: BoxStore.AddOptions) throws -> Box {
        try spend(path, options) {
            let (box, outcome) = try store.add(path, options, sink: sink, cancellation: cancellation)
            // As for files: the box was known by its name and version alone.
            if outcome == .present, options.catalogue == nil,
                try fileChecksum(path, .sha256, cancellation: cancellation) != box.digest.hexadecimal
            {
                try FileSystem.remove(path)
                throw BoxSourceError.differentBox(box.identity, FilePath(options.source ?? path.string))
            }
            return box
        }
    }

    /// Removes a download once it is in the store, or if it can never get there. One that this host had no room or no
    /// program for stays for the next attempt.
    func spend(_ path: FilePath, _ options: BoxStore.AddOptions, _ add: () throws -> Box) throws -> Box {
        do {
            let box = try add()
            try FileSystem.remove(path)
            return box
        } catch let error as BoxError {
            guard error.isFileAtFault else { throw error }
            // The next attempt shall not meet it again.
            try FileSystem.remove(path)
            switch error {
            case .notAnArchive, .unreadable, .missingMetadata, .nameRequired:
                throw BoxSourceError.unusableDownload(url: options.source ?? "the server", error)
            default: throw error
            }
        }
    }

    /// Removes what nobody came back for within a week.
    func sweepDownloads(except key: String) throws {
        guard try FileSystem.exists(store.downloads) else { return }
        let oldest = wallClockSeconds() - 7 * 86_400
        for name in try FileSystem.list(store.downloads) where !name.hasPrefix(key) {
            let path = store.downloads.appending(name)
            if let status = try FileSystem.status(path, followLinks: false), status.modified < oldest {
                try FileSystem.remove(path)
            }
        }
    }
}
