internal import Digest
internal import LinuxSystem
internal import Reporting
internal import SystemPackage

/// An image of a publisher's on its way into the store: downloaded, compared with what the publisher says, and added;
/// once more if the publisher replaced it meanwhile. Only the very bytes of the offer count as the image, whatever else
/// has its name, its version or its URL.
struct ImageAddition {
    let installer: BoxInstaller
    let request: BoxRequest
    let given: BoxStore.AddOptions
    /// What the lock records; nil for what is not locked.
    let locked: LockFile.Entry?

    private var store: BoxStore { installer.store }

    func run(_ first: ImageOffer) throws -> Box {
        if first.image.isExperimental { report(.warning("'\(first.image.name)' is an experiment")) }
        if let note = first.image.note { report(.output("\(first.image.name): \(note)")) }
        guard first.image.architecture == request.storeArchitecture else {
            throw BoxSourceError.unwantedArchitecture(
                BoxIdentity(
                    name: first.image.name, version: first.version, architecture: first.image.architecture),
                wanted: request.storeArchitecture)
        }
        var offer = first
        for isLast in [false, true] {
            let actual: String
            do { return try add(offer) } catch BoxError.checksumMismatch(
                offer.checksum.algorithm, offer.checksum.hexadecimal, let found)
            { actual = found }
            let again = try installer.offer(offer.found)
            guard !isLast, again.checksum != offer.checksum else {
                throw BoxSourceError.imageMismatch(offer.found, expected: again.checksum, actual: actual)
            }
            report(.output("the publisher replaced the image while it was downloaded; getting the new one"))
            offer = again
        }
        throw BoxSourceError.downloadFailed(url: first.found.location.shown, reason: "it keeps changing")
    }

    private func add(_ offer: ImageOffer) throws -> Box {
        func present() throws -> Box? {
            guard given.whenPresent != .replace else { return nil }
            return try stored(offer)
        }
        if let box = try present() {
            guard given.whenPresent == .use else { throw BoxError.alreadyPresent(box.identity) }
            return box
        }
        if let locked, locked.isReplaced(by: offer.checksum) { throw replaced(locked, offer) }
        let version = locked?.box.version ?? offer.version
        guard request.requirement.isSatisfied(by: version) else {
            throw BoxSourceError.noVersion(
                offer.image.name.description, requirement: request.requirement.description,
                architecture: request.storeArchitecture.description, available: [version.description])
        }
        report(.step("Getting \(offer.image.title) from \(offer.found.location.shown)"))
        var options = given
        options.name = offer.image.name
        options.architecture = offer.image.architecture
        options.facts = request.facts ?? offer.image.facts
        options.catalogue = offer.found.origin.shown
        options.source = offer.found.location.shown
        options.checksums.append(offer.checksum)
        do {
            switch try look(offer, present: present) {
            case .present(let box): return box
            case .file(let path): return verified(try put(path, options, offer), offer)
            case .downloaded(let path, _, let lock):
                defer { withExtendedLifetime(lock) {} }
                return verified(try installer.spend(path, options) { try put(path, options, offer) }, offer)
            case .listed, .image:
                throw BoxSourceError.unusableDownload(
                    url: offer.found.location.shown, .notAnArchive(FilePath(offer.image.fileName)))
            }
        } catch BoxError.checksumMismatch(.sha256, let expected, let actual)
            where expected != offer.checksum.hexadecimal
        {
            // The publisher has what it says, and the lock means something else.
            guard let locked, locked.digest.hexadecimal == expected else {
                throw BoxError.checksumMismatch(algorithm: .sha256, expected: expected, actual: actual)
            }
            throw replaced(locked, offer)
        }
    }

    private func look(_ offer: ImageOffer, present: @escaping () throws -> Box?) throws -> BoxInstaller.Found {
        do {
            return try installer.look(
                at: offer.found.location, label: offer.image.name.description, present: present,
                isWanted: { path in
                    let algorithm = offer.checksum.algorithm
                    return try fileChecksum(path, algorithm, cancellation: installer.cancellation)
                        == offer.checksum.hexadecimal
                })
        } catch let error as BoxSourceError {
            switch error {
            case .downloadFailed, .httpStatus, .noSuchFile: throw BoxSourceError.imageUnreachable(offer.found, error)
            default: throw error
            }
        }
    }

    /// Into the store, under a version that nothing else has: others may add another image of that name meanwhile.
    private func put(_ path: FilePath, _ given: BoxStore.AddOptions, _ offer: ImageOffer) throws -> Box {
        var options = given
        while true {
            options.version = try locked?.box.version ?? freeVersion(offer)
            let (box, outcome) = try store.add(
                path, options, sink: installer.sink, cancellation: installer.cancellation)
            if outcome != .present || box.isImage(offer.checksum) { return box }
            if let locked {
                throw BoxSourceError.lockedDigest(locked.box, locked: locked.digest, actual: box.digest)
            }
        }
    }

    /// The stored box of exactly the image that is offered, and that is locked.
    private func stored(_ offer: ImageOffer) throws -> Box? {
        try installer.stored(offer).flatMap { box in
            guard locked.map({ $0.digest == box.digest }) ?? true else { return nil }
            try given.accept(box.identity)
            try installer.check(box, request.checksum)
            return box
        }
    }

    /// The version that is offered; a publisher's second image of one day gets a number of its own.
    private func freeVersion(_ offer: ImageOffer) throws -> BoxVersion {
        var version = offer.version
        var number = 0
        while let box = try store.box(
            BoxIdentity(name: offer.image.name, version: version, architecture: offer.image.architecture)),
            // What is replaced by itself keeps its version.
            !(given.whenPresent == .replace && box.isImage(offer.checksum))
        {
            number += 1
            guard number < 1000, let next = BoxVersion("\(offer.version).\(number)") else { break }
            version = next
        }
        return version
    }

    private func verified(_ box: Box, _ offer: ImageOffer) -> Box {
        report(.output("\(box.identity) is what \(offer.found.checksums.shown) states"))
        return box
    }

    private func replaced(_ locked: LockFile.Entry, _ offer: ImageOffer) -> BoxSourceError {
        .imageReplaced(locked.box, locked: locked.digest, published: offer.version)
    }

    private func report(_ event: Event) { installer.sink.report(event) }
}

extension Box {
    /// Whether its file is what a publisher's checksum says.
    func isImage(_ checksum: ExpectedChecksum) -> Bool {
        checksum.algorithm == .sha256 ? checksum.hexadecimal == digest.hexadecimal : checksums.contains(checksum)
    }
}

extension BoxInstaller {
    /// The stored box of exactly the image that is offered.
    func stored(_ offer: ImageOffer) throws -> Box? {
        try store.boxes(named: offer.image.name).last { $0.isImage(offer.checksum) }
    }
}

extension LockFile.Entry {
    /// Whether what a publisher has today is certainly not what is locked.
    func isReplaced(by checksum: ExpectedChecksum) -> Bool {
        if checksum.algorithm == .sha256 { return checksum.hexadecimal != digest.hexadecimal }
        guard let published, published.algorithm == checksum.algorithm else { return false }
        return published != checksum
    }
}
