import CLinux
import Glibc
public import SystemPackage

/// What a process gives up for ever before a guest speaks to it, so that a guest that takes it over finds little:
/// programs, privileges, files and system calls that it does not need; others neither read its memory nor get a core
/// dump of it.
public struct ProcessConfinement: Sendable {
    /// Files and folders to read; what does not exist is left out.
    public var readable: [FilePath] = []
    /// Folders in which files are made, read, renamed and removed.
    public var writable: [FilePath] = []
    /// Folders that guests have as file systems, to change.
    public var served: [FilePath] = []
    /// Whether TCP ports may be bound and connected to.
    public var allowsTCP = false
    public var filter: SystemCallFilter

    public init(filter: SystemCallFilter) { self.filter = filter }

    /// What could be limited.
    public struct Outcome: Sendable {
        public let limitsFiles: Bool
        public let limitsCalls: Bool

        public init(limitsFiles: Bool, limitsCalls: Bool) {
            self.limitsFiles = limitsFiles
            self.limitsCalls = limitsCalls
        }

        /// What the kernel does not limit.
        public var missingLimits: [String] {
            (limitsFiles ? [] : ["files (Landlock)"]) + (limitsCalls ? [] : ["system calls (seccomp)"])
        }

        /// What the kernel does not have, to be told; nil if everything is limited.
        public var missing: String? {
            let names = missingLimits
            return names.isEmpty ? nil : "not limited on this kernel: \(names.joined(separator: ", "))"
        }
    }

    /// Applies all of it. The calling thread must be the only one: Landlock does not bind those that there are already.
    /// - Throws: Whatever keeps a limit that the kernel has from being applied. The process must not go on then.
    public func enter() throws(SystemError) -> Outcome {
        guard try FileSystem.list("/proc/self/task").count == 1 else {
            throw SystemError("limit a process that has threads already", nil, .resourceBusy)
        }
        Signals.ignoreWriteSignals()
        try Self.giveUpNewPrivileges()
        _ = try checked(linux_prctl(CInt(PR_SET_DUMPABLE), 0, 0), "hide the memory")
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = try checked(
            negativeErrno(Int(unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none))), "forbid core dumps")
        let limitsFiles = try FileAccessLimit.apply(
            readable: readable, writable: writable, served: served, allowsTCP: allowsTCP)
        let limitsCalls = try filter.apply()
        return Outcome(limitsFiles: limitsFiles, limitsCalls: limitsCalls)
    }

    /// No program that the calling thread starts gains privileges: the kernel wants that before a filter or a limit.
    static func giveUpNewPrivileges() throws(SystemError) {
        _ = try checked(linux_prctl(CInt(PR_SET_NO_NEW_PRIVS), 1, 0), "give up new privileges")
    }
}
