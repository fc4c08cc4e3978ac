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
            let place = try MonitorPlace(servesFiles: servesFiles)
            let folder = place.folder
            let told = place.configuration
            let listener = try UnixSocket.listen(at: place.doors.listener)
            let network = try UnixSocket.listen(at: folder("net.sock"))
            let open = try place.doors.open {
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
