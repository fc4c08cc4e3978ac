import CLinux
import Glibc
import LinuxSystem
public import SystemPackage

/// What somebody tries who has taken a confined process over: every way out of it that the confinement is to close.
public struct Doors: Sendable {
    /// Files that the process must not be able to write to, nor to replace.
    public var protected: [FilePath] = []
    /// Files that it must not be able to read.
    public var secret: [FilePath] = []
    /// A stream socket that somebody listens at.
    public var listener: FilePath
    /// Whether programs may be started and processes made, which another filter forbids later.
    public var startsPrograms = false

    /// Whether the Internet's sockets are the process's own to make.
    public var usesInternet = false
    /// Whether it serves files, whose modes and attributes are set by calls that no rule binds to a folder.
    public var servesFiles = false

    public init(listener: FilePath) { self.listener = listener }

    /// Tries them in a copy of this process that has gone through `confine`. For a process that has nothing else to do:
    /// the other threads of a busy one may hold locks that nobody lets go of in the copy
    /// (`#expect(processExitsWith:)`).
    /// - Returns: What went wrong: doors that are open, or a confinement that failed.
    public func open(after confine: () throws -> Void) throws -> [String] {
        let pipe = try OwnedDescriptor.pipe()
        // One that may be stopped, should that be possible.
        let other = linux_fork()
        if other == 0 { while true { pause() } }
        defer {
            kill(pid_t(other), SIGKILL)
            waitpid(pid_t(other), nil, 0)
        }
        let copy = linux_fork()
        guard copy >= 0 else { return ["fork failed"] }
        if copy == 0 {
            do {
                try confine()
                for door in try openDoors(to: OwnCalls(), besides: CInt(other)) { try pipe.write.writeAll(door + "\n") }
                try pipe.write.writeAll("all were tried\n")
            } catch { try? pipe.write.writeAll("not confined: \(error)\n") }
            _exit(0)
        }
        let reader = pipe.keepRead()
        var lines = String(decoding: try reader.readAll(limit: 1 << 16), as: UTF8.self).split(separator: "\n")
        var status: CInt = 0
        waitpid(pid_t(copy), &status, 0)
        guard lines.popLast() == "all were tried" else {
            return lines.map(String.init) + ["the copy did not get to its end"]
        }
        return lines.map(String.init)
    }
}
