internal import Digest
internal import LinuxSystem
internal import Reporting
internal import SystemPackage

extension BoxInstaller {
    /// Asks the publisher what the image is today: only its list of checksums is fetched.
    func offer(_ found: ImageCatalogues.Found) throws -> ImageOffer {
        let (text, modified) = try checksumText(found)
        let list = ChecksumList(parsing: text, form: found.image.form)
        guard let checksum = list.checksum(of: found.image.fileName) else { throw BoxSourceError.noChecksum(found) }
        let version =
            found.image.version ?? list.version(of: found.image.fileName, checksum)
            ?? modified.flatMap { BoxVersion(Self.day($0)) } ?? .unversioned
        return ImageOffer(found: found, checksum: checksum, version: version)
    }

    /// What the publisher of an image has today.
    public func published(
        _ found: ImageCatalogues.Found
    ) throws -> (version: BoxVersion, checksum: ExpectedChecksum) {
        let offer = try offer(found)
        return (offer.version, offer.checksum)
    }

    /// `20261124`.
    private static func day(_ seconds: Int64) -> String {
        let time = CivilTime(seconds: seconds)
        return "\(time.year * 10_000 + time.month * 100 + time.day)"
    }

    /// The list, and when it was published.
    private func checksumText(_ found: ImageCatalogues.Found) throws -> (text: String, modified: Int64?) {
        let limit = ChecksumList.sizeLimit
        switch found.checksums {
        case .file(let path):
            guard let status = try FileSystem.status(path), status.kind == .regular else {
                throw BoxSourceError.imageUnreachable(found, .noSuchFile(path))
            }
            return (String(decoding: try FileSystem.read(path, limit: limit), as: UTF8.self), status.modified)
        case .web:
            try store.prepare()
            let key = Self.downloadKey(found.checksums)
            let lock = try store.lock(
                "download-\(key)", waiting: "another wander is downloading \(found.checksums.shown); waiting for it",
                sink: sink, cancellation: cancellation)
            defer { withExtendedLifetime(lock) {} }
            let target = store.downloads.appending(key)
            defer { try? FileSystem.remove(target) }
            do {
                var downloader = downloader
                downloader.sizeLimit = UInt64(limit)
                let modified = try downloader.download(
                    found.checksums, to: target, label: "asking for \(found.image.name)", sink: sink,
                    cancellation: cancellation)
                return (String(decoding: try FileSystem.read(target, limit: limit), as: UTF8.self), modified)
            } catch let error as BoxSourceError { throw BoxSourceError.imageUnreachable(found, error) }
        }
    }

    /// The stored box of exactly the image that is offered.
    func stored(_ offer: ImageOffer) throws -> Box? {
        try store.boxes(named: offer.image.name).last { box in
            offer.checksum.algorithm == .sha256
                ? offer.checksum.hexadecimal == box.digest.hexadecimal : box.checksums.contains(offer.checksum)
        }
    }

    /// Puts the image that is offered into the store.
    /// - Parameters:
    ///   - identity: The identity that the lock records.
    ///   - digest: The digest that the lock records.
    func add(
        _ offer: ImageOffer, _ request: BoxRequest, _ given: BoxStore.AddOptions, identity: BoxIdentity?,
        digest: SHA256Digest?
    ) throws -> Box {
        let present: () throws -> Box? = {
            guard given.whenPresent != .replace, let box = try stored(offer) else { return nil }
            return digest == nil || digest == box.digest ? box : nil
        }
        if let box = try present() {
            guard given.whenPresent == .use else { throw BoxError.alreadyPresent(box.identity) }
            return try accept(box, request, given, digest)
        }
        if let identity, let digest, isReplaced(offer, identity, digest) {
            throw BoxSourceError.imageReplaced(identity, locked: digest, published: offer.version)
        }
        guard request.requirement.isSatisfied(by: identity?.version ?? offer.version) else {
            throw BoxSourceError.noVersion(
                offer.image.name.description, requirement: request.requirement.description,
                architecture: request.storeArchitecture.description, available: [offer.version.description])
        }
        if offer.image.isExperimental { sink.report(.warning("'\(offer.image.name)' is an experiment")) }
        if let note = offer.image.note { sink.report(.output("\(offer.image.name): \(note)")) }
        var options = given
        options.name = offer.image.name
        options.version = try identity?.version ?? freeVersion(offer)
        options.architecture = offer.image.architecture
        options.facts = request.facts ?? offer.image.facts
        options.catalogue = offer.found.origin.shown
        options.source = offer.found.location.shown
        return try fetch(offer, options, present) { try accept($0, request, options, digest) }
    }

    /// Whether the lock means another image than the publisher has today, as far as can be said before it is here.
    private func isReplaced(_ offer: ImageOffer, _ identity: BoxIdentity, _ digest: SHA256Digest) -> Bool {
        if offer.checksum.algorithm == .sha256 { return offer.checksum.hexadecimal != digest.hexadecimal }
        return identity.version != .unversioned && offer.version != .unversioned && identity.version < offer.version
    }

    /// The version that is offered; a publisher's second image of one day gets a number of its own.
    private func freeVersion(_ offer: ImageOffer) throws -> BoxVersion {
        var version = offer.version
        var number = 0
        while try store.box(
            BoxIdentity(name: offer.image.name, version: version, architecture: offer.image.architecture)) != nil
        {
            number += 1
            guard number < 1000, let next = BoxVersion("\(offer.version).\(number)") else { break }
            version = next
        }
        return version
    }

    /// Downloads, verifies and adds; once more if the publisher replaced the image meanwhile.
    private func fetch(
        _ first: ImageOffer, _ given: BoxStore.AddOptions, _ present: () throws -> Box?, accept: (Box) throws -> Box
    ) throws -> Box {
        var offer = first
        for isLast in [false, true] {
            var options = given
            options.checksums.append(offer.checksum)
            sink.report(.step("Getting \(offer.image.title) from \(offer.found.location.shown)"))
            let actual: String
            do {
                switch try lookForImage(offer, present) {
                case .present(let box): return try accept(box)
                case .file(let path):
                    return verified(try store.add(path, options, sink: sink, cancellation: cancellation).box, offer)
                case .downloaded(let path, _, let lock):
                    defer { withExtendedLifetime(lock) {} }
                    return verified(try addDownload(path, options), offer)
                case .listed, .image:
                    throw BoxSourceError.unusableDownload(
                        url: offer.found.location.shown, .notAnArchive(FilePath(offer.image.fileName)))
                }
            } catch BoxError.checksumMismatch(offer.checksum.algorithm, offer.checksum.hexadecimal, let found) {
                actual = found
            }
            let again = try self.offer(offer.found)
            guard !isLast, again.checksum != offer.checksum else {
                throw BoxSourceError.imageMismatch(offer.found, expected: again.checksum, actual: actual)
            }
            sink.report(.output("the publisher replaced the image while it was downloaded; getting the new one"))
            offer = again
        }
        throw BoxSourceError.downloadFailed(url: first.found.location.shown, reason: "it keeps changing")
    }

    private func verified(_ box: Box, _ offer: ImageOffer) -> Box {
        sink.report(.output("\(box.identity) is what \(offer.found.checksums.shown) states"))
        return box
    }

    private func lookForImage(_ offer: ImageOffer, _ present: () throws -> Box?) throws -> Found {
        do {
            return try look(at: offer.found.location, label: offer.image.name.description, present: present)
        } catch let error as BoxSourceError {
            switch error {
            case .downloadFailed, .httpStatus, .noSuchFile: throw BoxSourceError.imageUnreachable(offer.found, error)
            default: throw error
            }
        }
    }
}
