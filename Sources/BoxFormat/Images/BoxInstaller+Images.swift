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
}
