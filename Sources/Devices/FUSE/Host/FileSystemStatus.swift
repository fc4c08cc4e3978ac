import CLinux
import Glibc
import SystemPackage

/// What fstatfs(2) tells of a file system. `struct statfs` of x86-64: words of 8 bytes.
struct FileSystemStatus {
    /// linux/magic.h
    let type: UInt64
    /// In bytes.
    let blockSize: UInt64
    let blockCount: UInt64
    let freeBlocks: UInt64
    let availableBlocks: UInt64
    let fileCount: UInt64
    let freeFiles: UInt64
    let nameLimit: UInt64
    let fragmentSize: UInt64

    init(of file: HostFile) throws(Errno) {
        var words = [UInt64](repeating: 0, count: 15)
        _ = try HostCall.checked {
            unsafe words.withUnsafeMutableBytes { buffer in
                file.use { linux_syscall(Int(SYS_fstatfs), $0, UInt(bitPattern: buffer.baseAddress), 0, 0, 0) }
            }
        }
        type = words[0]
        blockSize = words[1]
        blockCount = words[2]
        freeBlocks = words[3]
        availableBlocks = words[4]
        fileCount = words[5]
        freeFiles = words[6]
        nameLimit = words[8]
        fragmentSize = words[9]
    }

    /// Overlay file systems give a file another birth when it is first written.
    var hasLastingBirths: Bool { type != 0x794c_7630 }

    /// Whether its files are no files, but words with the host's kernel: proc, sysfs, control groups (both versions),
    /// BPF, configfs, debugfs, tracefs, securityfs, AppArmor, SELinux, Smack, binfmt_misc, EFI variables, pstore,
    /// resctrl, fusectl, message queues, terminals, namespaces, the pipes of RPC, nfsd, Xen.
    var isKernels: Bool {
        [
            0x9fa0, 0x6265_6572, 0x0027_e0eb, 0x6367_7270, 0xcafe_4a11, 0x6265_6570, 0x6462_6720, 0x7472_6163,
            0x7363_6673, 0x5a3c_69f0, 0xf97c_ff8c, 0x4341_5d53, 0x4249_4e4d, 0xde5e_81e4, 0x6165_676c, 0x0765_5821,
            0x6573_5543, 0x1980_0202, 0x1cd1, 0x6e73_6673, 0x6759_6969, 0x6e66_7364, 0xabba_1974,
        ].contains(type & 0xffff_ffff)
    }

    /// Whether only closing a file may tell that writing it failed: NFS, SMB (both numbers), FUSE, Ceph, 9P, AFS.
    var reportsWhenClosing: Bool {
        [0x6969, 0xff53_4d42, 0xfe53_4d42, 0x6573_5546, 0x00c3_6400, 0x0102_1997, 0x5346_414f].contains(
            type & 0xffff_ffff)
    }
}
