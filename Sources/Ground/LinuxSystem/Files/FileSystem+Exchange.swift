import CLinux
public import SystemPackage

extension FileSystem {
    /// Swaps two names within a file system in one step (renameat2(2), RENAME_EXCHANGE).
    public static func exchange(_ one: FilePath, _ other: FilePath) throws(SystemError) {
        let renameExchange: UInt32 = 2  // linux/fs.h; glibc has it only under _GNU_SOURCE.
        let result = unsafe one.withPlatformString { from in
            unsafe other.withPlatformString { to in
                unsafe linux_renameat2(AT_FDCWD, from, AT_FDCWD, to, renameExchange)
            }
        }
        _ = try checked(result, "replace", other)
    }
}
