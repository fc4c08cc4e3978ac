import CLinux
import Glibc
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import wander_share

/// A wander-share that its guest has taken over.
@Suite struct DoorTests {
    @Test("finds the folder that it serves and no way out of it", arguments: [false, true])
    func doors(isReadOnly: Bool) async throws {
        await #expect(processExitsWith: .success) { [isReadOnly] in
            let folder = try TemporaryFolder()
            var doors = Doors(listener: folder("other.sock"))
            doors.servesFiles = true
            let listener = try UnixSocket.listen(at: doors.listener)
            for name in ["web/record.json", "web/disk.qcow2", "home/.bashrc"] {
                doors.protected.append(try folder.file(name))
            }
            doors.secret = doors.protected
            let file = try folder.file("share/file")
            if isReadOnly { doors.protected.append(file) }
            var arguments = ["--tag", "share", "--folder", folder("share").string, "--socket-descriptor", "3"]
            if isReadOnly { arguments.append("--read-only") }
            let share = try ShareArguments(arguments)
            let open = try doors.open {
                _ = try Sandbox.enter(share)
                _ = try FileSystem.read(file, limit: 10)
            }
            if !open.isEmpty { print(open) }
            listener.close()
            exit(open.isEmpty ? 0 : 1)
        }
    }

    @Test("a folder that cannot be looked at any longer keeps it from serving", arguments: [false, true])
    func failingFolder(isReadOnly: Bool) async throws {
        await #expect(processExitsWith: .success) { [isReadOnly] in
            let folder = try TemporaryFolder()
            // A link to itself.
            symlink("loop", folder("loop").string)
            var arguments = ["--tag", "share", "--folder", folder("loop").string, "--socket-descriptor", "3"]
            if isReadOnly { arguments.append("--read-only") }
            let share = try ShareArguments(arguments)
            let copy = linux_fork()
            if copy == 0 {
                do throws(SystemError) { _ = try Sandbox.enter(share) } catch {
                    _exit(error.errno == .tooManySymbolicLinkLevels ? 0 : 2)
                }
                _exit(1)
            }
            var status: CInt = 0
            waitpid(pid_t(copy), &status, 0)
            exit(linux_exit_status(status))
        }
    }
}
