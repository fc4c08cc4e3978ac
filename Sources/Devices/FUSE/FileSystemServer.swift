import Glibc
public import LinuxSystem
import Synchronization
import SystemPackage

/// Serves a folder of the host to a guest by the FUSE protocol (linux/fuse.h), as the user that the process runs as.
///
/// The guest is an adversary. It names files with numbers that mean nothing outside of this server's tables, and with
/// single names. The guest resolves links, and the server never does. Pipes, sockets and devices are visible but never
/// opened. What the guest can make the server hold is bounded. When the host's own users change the folder meanwhile,
/// that causes errors and nothing else.
///
/// Threads may serve requests at once; a table is locked only while it is looked at, never during a system call.
public final class FileSystemServer: Sendable {
    public struct Options: Sendable {
        /// Refuses every change (`EROFS`), however the guest mounted the folder.
        public var isReadOnly = false
        /// Names in ASCII that do not exist for the guest, at any depth and in any mix of cases.
        public var hiddenNames: [String] = [".wander"]
        /// How many descriptors the server may hold; nil: a few less than the process may have.
        public var descriptorLimit: Int?
        /// How many files the guest may know at once, in all shares of the process together.
        public var nodeLimit = 1 << 20
        var budget = NodeBudget.process

        public init() {}
    }

    let options: Options
    let hiddenNames: [[UInt8]]
    let bound: DescriptorBound
    let processFolder: ProcessFolder
    let nodes: NodeTable
    let handles = HandleTable()
    let replacedNames = ReplacedNames()
    let creationMask = CreationMask()
    let owners = OwnerMap()
    let inodeNumbers: InodeNumbers
    /// Whether an identity includes the file's birth.
    let usesBirth: Bool
    /// Whether closing a file may tell of an error.
    let reportsWhenClosing: Bool
    let isInitialized = Atomic<Bool>(false)
    let workspaces = WorkspacePool()

    /// - Parameter folder: A descriptor of the folder, of any kind. It must not be on a file system such as `/proc` and
    ///   `/sys`, and `/proc` must be mounted.
    public init(folder: consuming OwnedDescriptor, options: Options = Options()) throws(SystemError) {
        processFolder = try ProcessFolder()
        self.options = options
        hiddenNames = options.hiddenNames.map { Array($0.utf8).map(Self.lowercased) }
        bound = DescriptorBound(limit: options.descriptorLimit ?? Self.processLimit)
        let (bound, rawValue) = (bound, folder.release())
        let status: HostStatus
        let root: HostFile
        do throws(Errno) {
            root = try bound.open(.kept) { () throws(Errno) in rawValue }
            status = try HostStatus(of: root)
            guard status.kind == .folder else { throw .notDirectory }
            let fileSystem = try FileSystemStatus(of: root)
            guard !fileSystem.isKernels else { throw .permissionDenied }
            reportsWhenClosing = fileSystem.reportsWhenClosing
            usesBirth = fileSystem.hasLastingBirths && status.knowsBirth
        } catch { throw SystemError("share the folder", nil, error) }
        inodeNumbers = InodeNumbers(home: status.device)
        nodes = NodeTable(
            root: root, FileIdentity(status, usesBirth: usesBirth), limit: options.nodeLimit,
            folderLimit: bound.limit / 2, budget: options.budget)
        // A guest that writes far behind a file's end must not end the process by it (`ulimit -f`).
        Signals.ignore(SIGXFSZ)
    }

    /// The soft limit of open files, less what the rest of the process may need.
    private static var processLimit: Int { OpenFileLimit.current - 96 }

    /// Forgets what the guest knows and has open, as if it had never mounted the folder. The owner that it set stays.
    public func reset() {
        isInitialized.store(false, ordering: .releasing)
        handles.reset()
        nodes.reset()
        replacedNames.reset()
    }

    /// Serves one request.
    /// - Returns: How many bytes of the reply there are; 0 if this request gets none.
    public func serve<E: FUSEExchange & ~Copyable>(_ exchange: inout E) -> Int {
        guard let header = RequestHeader(&exchange) else { return 0 }
        let opcode = Opcode(rawValue: header.opcode)
        let isAnswered = opcode?.isAnswered ?? true
        guard !isAnswered || exchange.replyCapacity >= Reply.headerByteCount else { return 0 }
        let workspace = workspaces.take()
        defer { workspaces.giveBack(workspace) }
        var reply = unsafe Reply(workspace.reply, limit: exchange.replyCapacity)
        var length: Int?
        var failure: Errno?
        do throws(Errno) {
            guard let opcode else { throw .noFunction }
            length = try perform(opcode, header, &exchange, &reply, workspace)
        } catch {
            failure = error
            reply.shorten(to: Reply.headerByteCount)
        }
        guard isAnswered else { return 0 }
        let total = length ?? reply.byteCount
        let bytes = unsafe reply.finish(unique: header.unique, length: total, error: failure)
        unsafe exchange.copyReply(bytes, at: 0)
        return total
    }

    /// - Returns: The length of the reply, if part of it is in the exchange already.
    private func perform<E: FUSEExchange & ~Copyable>(
        _ opcode: Opcode, _ header: RequestHeader, _ exchange: inout E, _ reply: inout Reply, _ workspace: Workspace
    ) throws(Errno) -> Int? {
        let length = Int(header.length)
        guard length >= RequestHeader.byteCount, length <= exchange.requestByteCount else { throw .invalidArgument }
        guard isInitialized.load(ordering: .acquiring) || opcode == .initialize else { throw .ioError }
        guard !opcode.changesFiles || !options.isReadOnly else { throw .readOnlyFileSystem }
        let argumentCount = unsafe min(length - RequestHeader.byteCount, opcode.argumentLimit(workspace.request.count))
        let arguments = unsafe UnsafeMutableRawBufferPointer(rebasing: workspace.request[..<argumentCount])
        guard unsafe exchange.copyRequest(at: RequestHeader.byteCount, into: arguments) == argumentCount else {
            throw .invalidArgument
        }
        var request = unsafe Request(header, arguments: UnsafeRawBufferPointer(arguments))
        if opcode == .read { return try read(&request, &exchange) }
        if opcode == .write {
            try write(&request, &exchange, &reply)
            return nil
        }
        try perform(opcode, &request, &reply, workspace)
        return nil
    }

    private func perform(
        _ opcode: Opcode, _ request: inout Request, _ reply: inout Reply, _ workspace: Workspace
    ) throws(Errno) {
        switch opcode {
        case .initialize: try initialize(&request, &reply)
        case .destroy: reset()
        case .lookUp: try lookUp(&request, &reply)
        case .forget: try forget(&request)
        case .forgetBatch: try forgetBatch(&request)
        case .getAttributes: try getAttributes(&request, &reply)
        case .setAttributes: try setAttributes(&request, &reply)
        case .getExtendedStatus: try getExtendedStatus(&request, &reply)
        case .readLink: try readLink(&request, &reply)
        case .makeLink: try makeLink(&request, &reply)
        case .makeNode: try makeNode(&request, &reply)
        case .makeFolder: try makeFolder(&request, &reply)
        case .linkFile: try linkFile(&request, &reply)
        case .removeFile: try remove(&request, isFolder: false)
        case .removeFolder: try remove(&request, isFolder: true)
        case .rename: try rename(&request, hasFlags: false)
        case .renameWithFlags: try rename(&request, hasFlags: true)
        case .open: try open(&request, &reply)
        case .create: try create(&request, &reply)
        case .makeTemporaryFile: try makeTemporaryFile(&request, &reply)
        case .release: try release(&request, isFolder: false)
        case .flush: try flush(&request)
        case .synchronize: try synchronize(&request, isFolder: false)
        case .seek: try seek(&request, &reply)
        case .allocate: try allocate(&request)
        case .copyRange: try copyRange(&request, &reply)
        case .openFolder: try openFolder(&request, &reply)
        case .readFolder: try readFolder(&request, &reply, workspace.folder, withAttributes: false)
        case .readFolderWithAttributes: try readFolder(&request, &reply, workspace.folder, withAttributes: true)
        case .releaseFolder: try release(&request, isFolder: true)
        case .synchronizeFolder: try synchronize(&request, isFolder: true)
        case .getExtendedAttribute: try getAttribute(&request, &reply)
        case .setExtendedAttribute: try setAttribute(&request)
        case .listExtendedAttributes: try listAttributes(&request, &reply)
        case .removeExtendedAttribute: try removeAttribute(&request)
        case .checkAccess: try checkAccess(&request)
        case .fileSystemStatus: try fileSystemStatus(&request, &reply)
        case .synchronizeFileSystem: try synchronizeFileSystem()
        case .interrupt: break
        // Served above, because their data stay where they are.
        case .read, .write: throw .ioError
        }
    }
}
