import BoxFormat
import Digest

extension Machine {
    /// The box that the machine was made from; its overlay is of use with no other.
    /// - Throws: ``ProviderError/boxChanged(machine:box:wanted:actual:)`` if another one has its name.
    func box(of record: MachineRecord) throws -> Box {
        func missing(_ box: String) -> ProviderError {
            let entries = (try? LockFile.read(project.lockFile))?.entries ?? []
            let source = entries.first { $0.digest.description == record.box.digest }?.source
            return .boxMissing(box, machine: name, source: source)
        }
        guard let version = BoxVersion(record.box.version) else { throw missing(record.box.name) }
        let identity = BoxIdentity(
            name: try BoxName(record.box.name), version: version,
            architecture: try Architecture(record.box.architecture))
        guard let box = try project.boxes.box(identity) else { throw missing(identity.description) }
        // The same disk may come in another archive.
        let isSameDisk =
            record.box.disk != nil && record.box.disk == box.diskDigest?.description
        if let digest = record.box.digest, digest != box.digest.description, !isSameDisk {
            throw ProviderError.boxChanged(
                machine: name, box: identity.description, wanted: digest, actual: box.digest.description)
        }
        return box
    }
}
