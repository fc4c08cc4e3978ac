import CLinux
import Glibc
import SystemPackage

/// What statx(2) tells of a file.
struct HostStatus {
    struct Time: Equatable {
        /// Since 1970.
        var seconds: Int64
        var nanoseconds: UInt32
    }
    /// Which of the fields the file system knows.
    let mask: UInt32
    let mode: UInt32
    let linkCount: UInt32
    let user: UInt32
    let group: UInt32
    let inode: UInt64
    /// In bytes.
    let size: UInt64
    /// Blocks of 512 bytes.
    let blockCount: UInt64
    /// In bytes, what is best for I/O.
    let blockSize: UInt32
    let accessed: Time
    let born: Time
    let changed: Time
    let modified: Time
    /// Major number, then minor number.
    let device: UInt64
    let mount: UInt64

    /// Whether the file system tells when files were made.
    var knowsBirth: Bool { mask & Self.bornMask != 0 }
    var kind: FileKind { FileKind(mode: mode) }

    /// The status of `name` in `folder`; links are not followed.
    init(of name: FileName, in folder: HostFile) throws(Errno) {
        self = try HostStatus(folder, name, HostCall.doNotFollow)
    }

    /// The status of what the descriptor names.
    init(of file: HostFile) throws(Errno) {
        self = try HostStatus(file, .none, HostCall.emptyPath)
    }

    // STATX_BASIC_STATS, STATX_BTIME, STATX_MNT_ID; AT_NO_AUTOMOUNT
    private static let bornMask: UInt32 = 0x800
    private static let wanted: UInt = 0x7ff | 0x800 | 0x1000
    private static let doNotMount: UInt = 0x800
    private static let byteCount = 256

    private init(_ folder: HostFile, _ name: FileName, _ flags: UInt) throws(Errno) {
        var failure: Errno?
        let status: HostStatus? = unsafe withUnsafeTemporaryAllocation(byteCount: Self.byteCount, alignment: 8) {
            buffer in
            do throws(Errno) {
                try HostCall.call(
                    Int(SYS_statx), folder, name, flags | Self.doNotMount, Self.wanted,
                    UInt(bitPattern: buffer.baseAddress))
                return unsafe HostStatus(UnsafeRawBufferPointer(buffer))
            } catch {
                failure = error
                return nil
            }
        }
        guard let status else { throw failure ?? .ioError }
        self = status
    }

    /// Takes `struct statx` apart (linux/stat.h).
    private init(_ bytes: UnsafeRawBufferPointer) {
        func field<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, _: T.Type = T.self) -> T {
            unsafe bytes.loadUnaligned(fromByteOffset: offset, as: T.self)
        }
        func time(_ offset: Int) -> Time { Time(seconds: field(offset), nanoseconds: field(offset + 8)) }
        mask = field(0)
        blockSize = field(4)
        linkCount = field(16)
        user = field(20)
        group = field(24)
        mode = UInt32(field(28, UInt16.self))
        inode = field(32)
        size = field(40)
        blockCount = field(48)
        accessed = time(64)
        born = mask & Self.bornMask != 0 ? time(80) : Time(seconds: 0, nanoseconds: 0)
        changed = time(96)
        modified = time(112)
        device = UInt64(field(136, UInt32.self)) << 32 | UInt64(field(140, UInt32.self))
        mount = field(144)
    }
}

/// What a file is.
enum FileKind: UInt8 {
    case regular, folder, link, other

    /// The bits of a mode that tell the kind (`S_IFMT`).
    static let mask: UInt32 = 0o170000

    init(mode: UInt32) {
        switch mode & Self.mask {
        case 0o100000: self = .regular
        case 0o040000: self = .folder
        case 0o120000: self = .link
        default: self = .other
        }
    }
}
