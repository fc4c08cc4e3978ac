import BoxFormat
import EnvFile
import LinuxSystem
import Reporting
import SystemPackage

extension Project {
    /// The box that a definition means: the one of the lock file, or the newest that fits; added to the store if it is not
    /// there. One machine at a time, so that several of one box add it once.
    func resolveBox(_ definition: MachineDefinition) throws -> Box {
        try withBoxLock { try findOrAdd(definition.box) }
    }

    private func withBoxLock<Result>(_ body: () throws -> Result) throws -> Result {
        let lock = try OwnedDescriptor.open(layout.locks.appending("boxes"), [.readWrite, .create], permissions: 0o600)
        guard try OpenFileLock.lock(lock, .exclusive, cancellation: cancellation) else { throw Interruption() }
        let result = try body()
        lock.close()
        return result
    }

    private func findOrAdd(_ reference: BoxReference) throws -> Box {
        switch reference.source {
        case .name(let text):
            let requirement = try VersionRequirement(reference.versionConstraint.map { "\($0)" } ?? ">= 0")
            if let box = try boxes.find(try BoxName(text), requirement) { return box }
            throw ProviderError.boxMissing(text)
        case .path(let path):
            var options = BoxStore.AddOptions()
            options.whenPresent = .use
            return try boxes.add(
                path.resolved(in: environment.projectDirectory), options, sink: events, cancellation: cancellation
            ).box
        case .url(let url): throw ProviderError.boxMissing(url)
        }
    }
}
