/// What a request asks for (linux/fuse.h, `enum fuse_opcode`). The answer to every other number is `ENOSYS`, after
/// which Linux no longer uses it.
enum Opcode: UInt32 {
    case lookUp = 1
    case forget = 2
    case getAttributes = 3
    case setAttributes = 4
    case readLink = 5
    case makeLink = 6
    case makeNode = 8
    case makeFolder = 9
    case removeFile = 10
    case removeFolder = 11
    case rename = 12
    case linkFile = 13
    case open = 14
    case read = 15
    case write = 16
    case fileSystemStatus = 17
    case release = 18
    case synchronize = 20
    case setExtendedAttribute = 21
    case getExtendedAttribute = 22
    case listExtendedAttributes = 23
    case removeExtendedAttribute = 24
    case flush = 25
    case initialize = 26
    case openFolder = 27
    case readFolder = 28
    case releaseFolder = 29
    case synchronizeFolder = 30
    case checkAccess = 34
    case create = 35
    case interrupt = 36
    case destroy = 38
    case forgetBatch = 42
    case allocate = 43
    case readFolderWithAttributes = 44
    case renameWithFlags = 45
    case seek = 46
    case copyRange = 47
    case synchronizeFileSystem = 50
    case makeTemporaryFile = 51
    case getExtendedStatus = 52

    /// Whether the host's files change by it. `open` and `setAttributes` may, which they see to themselves.
    var changesFiles: Bool {
        switch self {
        case .makeLink, .makeNode, .makeFolder, .removeFile, .removeFolder, .rename, .linkFile, .write,
            .setExtendedAttribute, .removeExtendedAttribute, .create, .allocate, .renameWithFlags, .copyRange,
            .makeTemporaryFile:
            true
        default: false
        }
    }

    /// Whether the guest waits for a reply, even to a request that fails.
    var isAnswered: Bool { self != .forget && self != .forgetBatch && self != .interrupt }

    /// How many bytes behind the header are arguments rather than a file's data.
    func argumentLimit(_ limit: Int) -> Int { self == .write ? FileSystemServer.writeArgumentByteCount : limit }
}
