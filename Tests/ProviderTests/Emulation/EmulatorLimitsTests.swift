import Glibc
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import Provider

/// A QEMU that its guest has taken over. Programs and processes are forbidden by QEMU's own filter.
@Suite struct EmulatorLimitsTests {
    @Test("finds its machine's disk and run folder and no way to other files or processes") func doors() async throws {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            var doors = Doors(listener: folder("other.sock"))
            doors.startsPrograms = true
            let listener = try UnixSocket.listen(at: doors.listener)
            for name in [
                "web/record.json", "web/id_ed25519", "web/layer-1.qcow2", "web/monitor.log", "db/record.json",
                "db/disk.qcow2", "db/run/console.log", "box/box.img", "box/vmlinuz", "home/.bashrc",
            ] { doors.protected.append(try folder.file(name)) }
            doors.secret = [folder("web/id_ed25519"), folder("db/disk.qcow2"), folder("home/.bashrc")]
            for name in ["web/disk.qcow2", "web/seed.img"] { _ = try folder.file(name) }
            try FileSystem.makeDirectory(folder("web/run"))
            var plan = QEMUArgumentsTests.plan(folder("box/box.img"), kernel: folder("box/vmlinuz"))
            plan.folder = MachineFolder(path: folder("web"), name: "web")
            plan.extraDisks = [SeedDiskTests.disk]
            let limits = EmulatorLimits(plan, program: "/usr/bin/qemu-system-x86_64")
            let open = try doors.open {
                _ = try limits.apply()
                try OwnedDescriptor.open(folder("web/disk.qcow2"), .readWrite).close()
                try OwnedDescriptor.openLog(folder("web/run/console.log")).close()
                _ = try FileSystem.read(folder("box/box.img"), limit: 10)
                _ = try FileSystem.read(folder("web/seed.img"), limit: 10)
                if (try? OwnedDescriptor.open(folder("web/seed.img"), .readWrite)) != nil {
                    throw SystemError("keep the seed", nil, .permissionDenied)
                }
                // What an open file that may only be read is not to be changed by.
                let image = try OwnedDescriptor.open(folder("box/box.img"), .readOnly)
                if fchmod(image.rawValue, 0o666) == 0 { throw SystemError("keep the mode", nil, .permissionDenied) }
                if (try? OwnedDescriptor.open(folder("box/box.img"), [.readOnly, .truncate])) != nil {
                    throw SystemError("keep the contents", nil, .permissionDenied)
                }
            }
            if !open.isEmpty { print(open) }
            listener.close()
            exit(open.isEmpty ? 0 : 1)
        }
    }
}
