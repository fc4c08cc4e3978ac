internal import Digest
public import DiskImage
public import LinuxSystem
public import Reporting
public import SystemPackage

extension BoxStore {
    /// How to add a box.
    public struct AddOptions: Sendable {
        public enum Presence: Sendable {
            /// The box is already there: an error.
            case fail
            /// The box is already there: that one will do.
            case use
            /// The new one takes its place.
            case replace
        }
        /// The name to store the box under, whatever it calls itself; required if it does not name itself.
        public var name: BoxName?
        /// The name to store it under if it does not name itself.
        public var fallbackName: BoxName?
        public var version: BoxVersion?
        public var architecture: Architecture?
        /// The archive must match all of them.
        public var checksums: [ExpectedChecksum] = []
        public var whenPresent = Presence.fail
        /// Where the archive came from, if not from the file itself; never with credentials.
        public var source: String?
        public var catalogue: String?
        /// The format of a plain disk image that looks like any other file: raw images have no magic number.
        public var diskFormat: DiskFormat?
        /// What is known about a plain disk image.
        public var facts: ImageFacts?
        /// Whether a project brings it, by its place: then it has its name for that project alone.
        var isOfProject = false
        public var limits = ArchiveLimits()
        /// Called as soon as the box is identified; throws to refuse it.
        public var accept: @Sendable (BoxIdentity) throws -> Void = { _ in }

        public init() {}
    }

    public enum AddOutcome: String, Sendable { case added, replaced, present }

    /// Puts a box archive or a plain disk image into the store, in one pass. The box appears whole or not at all, even
    /// if the process is killed; whoever adds the same box at the same time waits and shares it.
    public func add(
        _ archive: FilePath, _ options: AddOptions = AddOptions(), sink: any EventSink = SilentSink(),
        cancellation: Cancellation? = nil
    ) throws -> (box: Box, outcome: AddOutcome) {
        try prepare()
        let staging = try {
            let held = try lockNames(cancellation: cancellation)
            defer { withExtendedLifetime(held) {} }
            try StagingDirectory.sweep(self.staging)
            return try StagingDirectory.create(in: self.staging)
        }()
        let job = AddJob(store: self, archive: archive, options: options, sink: sink, cancellation: cancellation)
        let files = staging.content.appending(BoxRecord.filesFolder)
        try FileSystem.makeDirectory(files, permissions: 0o755)
        do {
            let box =
                switch try AddedFileKind.look(at: archive, stated: options.diskFormat) {
                case .archive: try job.unpack(into: files)
                case .disk(let format, let isPacked): try job.copyDisk(format, isPacked: isPacked, into: files)
                case .foreign(let format, let isPacked): try job.convertDisk(format, isPacked: isPacked, into: files)
                }
            return try commit(box, from: staging.content, options, job: job, cancellation: cancellation)
        } catch let present as AddJob.AlreadyPresent {
            return (try own(present.box, options), .present)
        }
    }

    /// What a project brought, and somebody now adds, has its name for everybody.
    private func own(_ box: Box, _ options: AddOptions) throws -> Box {
        guard box.isOfProject, !options.isOfProject else { return box }
        let held = try lockNames(cancellation: nil)
        defer { withExtendedLifetime(held) {} }
        guard var own = try self.box(box.identity), own.digest == box.digest else { return box }
        own.isOfProject = false
        try AtomicFile.write(
            BoxRecord.encode(own), to: folder(of: own.identity).appending(BoxRecord.fileName), permissions: 0o444)
        return own
    }

    /// Gives the finished folder its name.
    private func commit(
        _ box: Box, from content: FilePath, _ options: AddOptions, job: AddJob, cancellation: Cancellation?
    ) throws -> (box: Box, outcome: AddOutcome) {
        try AtomicFile.write(BoxRecord.encode(box), to: content.appending(BoxRecord.fileName), permissions: 0o444)
        try Self.synchronizeFolders(below: content)
        let target = folder(of: box.identity)
        let held = try lockNames(cancellation: cancellation)
        defer { withExtendedLifetime(held) {} }
        try cancellation?.check()
        try FileSystem.makeDirectory(target.removingLastComponent())
        var outcome = AddOutcome.added
        if try FileSystem.exists(target) {
            let old = try? self.box(box.identity)
            if let old, old.digest == box.digest, options.whenPresent != .replace {
                return (old, .present)
            }
            // Their overlays would suddenly lie on another disk. For the others, the box is only repaired.
            let machines = try uses(of: box.identity).filter { use in
                guard let disk = use.disk ?? old?.diskDigest else { return true }
                return disk != box.diskDigest
            }
            guard machines.isEmpty else {
                throw BoxError.inUse(box.identity, machines: machines.map(\.description))
            }
            try FileSystem.exchange(content, target)
            outcome = .replaced
        } else {
            try FileSystem.rename(content, to: target)
        }
        for folder in [target, target.removingLastComponent()].map({ $0.removingLastComponent() }) + [boxes] {
            try FileSystem.synchronizeDirectory(folder)
        }
        guard let added = try self.box(box.identity) else {
            throw BoxError.corruptRecord(target.appending(BoxRecord.fileName), reason: "it vanished while it was added")
        }
        return (added, outcome)
    }

    /// Forces the names of everything below `folder` to the disk; the files' content is there already.
    private static func synchronizeFolders(below folder: FilePath) throws {
        for name in try FileSystem.list(folder) where try FileSystem.isDirectory(folder.appending(name)) {
            try synchronizeFolders(below: folder.appending(name))
        }
        try FileSystem.synchronizeDirectory(folder)
    }
}
