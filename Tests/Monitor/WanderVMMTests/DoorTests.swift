import Glibc
import LinuxSystem
import MonitorControl
import SystemPackage
import TestSupport
import Testing

@testable import wander_vmm

/// A monitor that its guest has taken over, in a machine's folder beside another machine's.
@Suite struct DoorTests {
    @Test("finds its machine's own folder and no way out of it", arguments: [false, true])
    func doors(servesFiles: Bool) async throws {
        await #expect(processExitsWith: .success) { [servesFiles] in
            let folder = try TemporaryFolder()
            var doors = Doors(listener: folder("other.sock"))
            doors.servesFiles = servesFiles
            let listener = try UnixSocket.listen(at: doors.listener)
            var protected = ["record.json", "monitor.json", "disk.qcow2", "id_ed25519", "monitor.log"].map {
                "web/\($0)"
            }
            protected += ["db/record.json", "db/disk.qcow2", "db/run/console.log", "cache/kernel.elf", "home/.bashrc"]
            for name in protected { doors.protected.append(try folder.file(name)) }
            doors.secret = [folder("web/id_ed25519"), folder("db/disk.qcow2"), folder("home/.bashrc")]
            _ = try folder.file("web/run/console.log")
            _ = try folder.file("share/file")
            var configuration = MonitorConfiguration(
                name: "web", memory: 32 << 20, processors: 1, kernel: try folder.file("box/kernel"), commandLine: "")
            configuration.kernelCache = folder("cache")
            configuration.consoleLog = folder("web/run/console.log")
            configuration.controlSocket = folder("web/run/control.sock")
            configuration.endRecord = folder("web/run/end.json")
            if servesFiles { configuration.shares = [.init(tag: "share", path: folder("share"))] }
            let told = configuration
            let network = try UnixSocket.listen(at: folder("net.sock"))
            let open = try doors.open {
                let connector = try SocketConnector(to: [folder("net.sock")])
                guard try told.confine() == nil else { return }
                // What the monitor itself does there.
                try OwnedDescriptor.openLog(folder("web/run/console.log")).writeAll("x")
                try AtomicFile.write("{}", to: folder("web/run/end.json"))
                _ = try connector.connect(0)
                _ = try FileSystem.read(folder("cache/kernel.elf"), limit: 10)
            }
            if !open.isEmpty { print(open) }
            network.close()
            listener.close()
            exit(open.isEmpty ? 0 : 1)
        }
    }
}
