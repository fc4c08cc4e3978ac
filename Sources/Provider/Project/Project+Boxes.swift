public import BoxFormat
import Digest
public import EnvFile
import LinuxSystem
import Reporting
public import SystemPackage

extension Project {
    public var lockFile: FilePath { environment.projectDirectory.appending(LockFile.fileName) }

    /// The box that a definition means: the one of Wanderfile.lock, or the newest that fits, which is then locked. A
    /// box that is in the store costs no network request. One machine at a time: several of one box get it once.
    func resolveBox(_ definition: MachineDefinition) throws -> Box {
        let request = try boxRequest(definition.box)
        let box = try changeLockFile { lock in
            try installer().ensure(request, lock: &lock, policy: settings.locked ? .frozen : .follow)
        }
        if let least = box.smallestMemory, definition.memory < least {
            let (given, least) = (ByteCount(definition.memory), ByteCount(least))
            events.report(
                .warning("\(box.name) needs \(least) to start, and the Wanderfile gives \(given)"),
                about: definition.name)
        }
        return box
    }

    /// Lets `body` change Wanderfile.lock while no other command does, and writes the result if it differs.
    public func changeLockFile<Result>(_ body: (inout LockFile) throws -> Result) throws -> Result {
        try layout.prepare()
        let guardFile = try OwnedDescriptor.open(
            layout.locks.appending("boxes"), [.readWrite, .create], permissions: 0o600)
        guard try OpenFileLock.lock(guardFile, .exclusive, cancellation: cancellation) else { throw Interruption() }
        let old = try LockFile.read(lockFile)
        var lock = old
        let result = try body(&lock)
        if lock != old { try lock.write(lockFile) }
        guardFile.close()
        return result
    }

    /// What brings boxes into the store for this project.
    public func installer() throws -> BoxInstaller {
        BoxInstaller(
            store: boxes, catalogues: try CatalogueTemplate.configured(),
            images: .configured(project: environment.projectDirectory), sink: events, cancellation: cancellation)
    }

    /// A reference as the box store understands it.
    public func boxRequest(_ reference: BoxReference) throws -> BoxRequest {
        let requirement = try reference.versionConstraint.map { try VersionRequirement("\($0)") } ?? .any
        let checksum = try reference.digest.flatMap { try ExpectedChecksum.read($0) }
        var request: BoxRequest
        switch reference.source {
        case .name(let text): return BoxRequest(try BoxName(text), requirement, checksum: checksum)
        case .url(let url):
            request = BoxRequest(
                at: try BoxLocation(url), fallbackName: try Self.name(for: url, kind: "url"), checksum: checksum)
        case .path(let path):
            let file = path.resolved(in: environment.projectDirectory)
            request = BoxRequest(
                at: .file(file), reference: path.text, fallbackName: try Self.name(for: file.string, kind: "file"),
                checksum: checksum)
        }
        request.isOfProject = true
        return request
    }

    /// A name in the store for a box that has none of its own: two `env.box` of two projects are two boxes.
    private static func name(for place: String, kind: String) throws -> BoxName {
        let digest = SHA256Digest(of: Array(place.utf8)).hexadecimal.prefix(8)
        let last = place.split(separator: "/").last.map(String.init) ?? "box"
        let stem = last.split(separator: ".").first.map(String.init) ?? "box"
        let clean = String(
            stem.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }.prefix(40))
        return try BoxName("\(kind)/\(clean.isEmpty ? "box" : clean)-\(digest)")
    }
}
