import CLinux
import Glibc
public import SystemPackage

/// Limits which files this process can reach, for ever (landlock(7)). Descriptors that are open stay usable.
public enum FileAccessLimit {
    private static let execute: UInt64 = 1 << 0
    private static let readFile: UInt64 = 1 << 2
    private static let readDirectory: UInt64 = 1 << 3
    private static let writeFile: UInt64 = 1 << 1
    private static let makeCharacterDevice: UInt64 = 1 << 6
    private static let makeBlockDevice: UInt64 = 1 << 11
    /// Everything that version 1 of the interface knows, from execution to making links.
    private static let all: UInt64 = (1 << 13) - 1
    /// Moving and linking files from one folder to another: since version 2. Before, nobody could under a limit.
    private static let refer: UInt64 = 1 << 13
    /// Making files shorter: since version 3. Before, everybody could who reaches them.
    private static let truncate: UInt64 = 1 << 14
    /// Requests to devices that are opened from then on: since version 5.
    private static let requestOfDevice: UInt64 = 1 << 15
    /// TCP ports to be bound and connected to: since version 4.
    private static let tcp: UInt64 = 3
    /// Abstract Unix sockets and processes outside of the limit, to connect and to signal: since version 6.
    private static let outside: UInt64 = 3

    /// - Parameters:
    ///   - readable: Files and folders to read; what does not exist is left out.
    ///   - writable: Folders in which anything may be done except running programs and moving files between folders.
    ///   - served: Folders that are handed on as file systems: files may be moved between their folders, devices not
    ///     made.
    ///   - executable: Files and folders to read and to run programs from.
    ///   - allowsTCP: Whether ports may be bound and connected to.
    /// - Returns: Whether the kernel has Landlock; if not, nothing is limited.
    /// - Throws: Whatever else keeps the limit from being applied.
    public static func apply(
        readable: [FilePath], writable: [FilePath], served: [FilePath] = [], executable: [FilePath] = [],
        allowsTCP: Bool = true
    ) throws(SystemError) -> Bool {
        // LANDLOCK_CREATE_RULESET_VERSION
        let version = linux_syscall(Int(SYS_landlock_create_ruleset), 0, 0, 1, 0, 0)
        let handled =
            all | (version >= 2 ? refer : 0) | (version >= 3 ? truncate : 0) | (version >= 5 ? requestOfDevice : 0)
        // struct landlock_ruleset_attr, as long as the kernel knows it.
        var attribute = (files: handled, network: allowsTCP ? 0 : tcp, scopes: outside)
        let size: UInt = version >= 6 ? 24 : version >= 4 ? 16 : 8
        let raw = unsafe withUnsafeMutablePointer(to: &attribute) {
            linux_syscall(Int(SYS_landlock_create_ruleset), UInt(bitPattern: $0), size, 0, 0, 0)
        }
        if raw == -Int(ENOSYS) || raw == -Int(EOPNOTSUPP) { return false }
        let rules = OwnedDescriptor(owning: CInt(try checked(raw, "limit file access")))
        for path in readable { try allow(path, readFile | readDirectory, rules) }
        for path in executable { try allow(path, readFile | readDirectory | execute, rules) }
        for path in writable { try allow(path, handled & ~execute & ~refer, rules) }
        for path in served {
            try allow(path, handled & ~execute & ~makeCharacterDevice & ~makeBlockDevice, rules)
        }
        try ProcessConfinement.giveUpNewPrivileges()
        _ = try checked(
            linux_syscall(Int(SYS_landlock_restrict_self), UInt(rules.rawValue), 0, 0, 0, 0), "limit file access")
        return true
    }

    private static func allow(_ path: FilePath, _ access: UInt64, _ rules: borrowing OwnedDescriptor)
        throws(SystemError)
    {
        guard let status = try FileSystem.status(path) else { return }
        let opened = try OwnedDescriptor.open(path, .path)
        // A file has no use for what only folders can do, and the kernel refuses it.
        let fitting = status.kind == .directory ? access : access & (readFile | execute | writeFile | truncate)
        // struct landlock_path_beneath_attr is packed: 64 bits of access, 32 of descriptor.
        var rule = [UInt8](repeating: 0, count: 12)
        unsafe rule.withUnsafeMutableBytes {
            unsafe $0.storeBytes(of: fitting, as: UInt64.self)
            unsafe $0.storeBytes(of: opened.rawValue, toByteOffset: 8, as: Int32.self)
        }
        let result = unsafe rule.withUnsafeMutableBytes {
            linux_syscall(
                Int(SYS_landlock_add_rule), UInt(rules.rawValue), 1, UInt(bitPattern: $0.baseAddress), 0, 0)
        }
        _ = try checked(result, "limit file access to", path)
    }
}
