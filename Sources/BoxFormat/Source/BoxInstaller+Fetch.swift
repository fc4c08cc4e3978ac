internal import Digest
internal import LinuxSystem
internal import Reporting
internal import SystemPackage

extension BoxInstaller {
    /// What is at a location.
    enum Found {
        /// A catalogue and where it is.
        case listed(Catalogue, BoxLocation)
        /// The box itself: a file of this machine.
        case file(FilePath)
        /// The box itself, downloaded; the lock holds off others, and the file goes when the box is in the store.
        case downloaded(FilePath, BoxLocation, lock: BoxStore.HeldLock)
        /// Somebody else downloaded and added it while we waited.
        case present(Box)
    }

    func find(_ request: BoxRequest) throws -> Found {
        if let location = request.location { return try look(at: location, label: request.label) }
        guard let name = request.name else { throw BoxSourceError.invalidLocation("") }
        var attempts: [String] = []
        var haveAllAnswered = true
        for template in catalogues {
            guard let location = try template.location(of: name) else { continue }
            do {
                guard case .listed(let catalogue, let place) = try look(at: location, label: name.description)
                else {
                    throw BoxSourceError.notACatalogue(location.shown)
                }
                return .listed(catalogue, place)
            } catch let error as BoxSourceError {
                attempts.append(error.summary)
                haveAllAnswered = haveAllAnswered && error.isAnswer
            }
        }
        throw haveAllAnswered
            ? BoxSourceError.notInAnyCatalogue(name.description, attempts: attempts)
            : .cataloguesUnreachable(name.description, attempts: attempts)
    }

    /// Gets what is at `location` and tells a catalogue from a box by its first byte: no archive or image starts with
    /// `{`.
    /// - Parameter present: The box of the store that would do. It is asked once nobody else downloads from there any
    ///   more.
    private func look(
        at location: BoxLocation, label: String, present: () throws -> Box? = { nil }
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
            if let box = try present() { return .present(box) }
            // A box says where it came from without the query: another one could be meant.
            if lock.hasWaited, location.queryDigest == nil,
                let box = try store.list().boxes.first(where: { $0.source == location.shown && $0.added >= began })
            {
                return .present(box)
            }
            let target = store.downloads.appending(key)
            try sweepDownloads(except: key)
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
        _ request: BoxRequest, from found: Found, identity: BoxIdentity? = nil, digest: SHA256Digest? = nil,
        whenPresent: BoxStore.AddOptions.Presence
    ) throws -> Box {
        var options = BoxStore.AddOptions()
        options.name = request.name
        options.fallbackName = request.fallbackName
        options.version = identity?.version ?? request.assignedVersion
        options.diskFormat = request.diskFormat
        options.architecture = identity?.architecture
        options.whenPresent = whenPresent
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
            case .listed:
                throw BoxError.notAnArchive(FilePath(location.shown))
            }
        }
    }

    /// A box that another process added must be what this one wants, too.
    private func accept(
        _ box: Box, _ request: BoxRequest, _ options: BoxStore.AddOptions, _ digest: SHA256Digest?
    ) throws -> Box {
        try options.accept(box.identity)
        try check(box, request.checksum)
        if let digest, digest != box.digest {
            throw BoxSourceError.lockedDigest(box.identity, locked: digest, actual: box.digest)
        }
        return box
    }

    private func addDownload(_ path: FilePath, _ options: BoxStore.AddOptions) throws -> Box {
        do {
            let (box, outcome) = try store.add(path, options, sink: sink, cancellation: cancellation)
            // As for files: the box was known by its name and version alone.
            if outcome == .present, options.catalogue == nil,
                try fileChecksum(path, .sha256, cancellation: cancellation) != box.digest.hexadecimal
            {
                try FileSystem.remove(path)
                throw BoxSourceError.differentBox(box.identity, FilePath(options.source ?? path.string))
            }
            try FileSystem.remove(path)
            return box
        } catch let error as BoxError {
            // The file itself is at fault: the next attempt shall not meet it again.
            try FileSystem.remove(path)
            throw error
        }
    }

    /// Removes what nobody came back for within a week.
    private func sweepDownloads(except key: String) throws {
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
