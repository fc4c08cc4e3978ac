import Glibc
import LinuxSystem
import NetworkAddress
import NetworkControl
import SystemPackage
import TestSupport
import Testing

@testable import wander_net

/// A wander-net that a guest has taken over, in a project's state folder.
@Suite struct DoorTests {
    @Test("finds the network's own folder and no way out of it") func doors() async throws {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            var doors = Doors(listener: folder("other.sock"))
            doors.usesInternet = true
            let listener = try UnixSocket.listen(at: doors.listener)
            for name in [
                "machines/web/record.json", "machines/web/disk.qcow2", "machines/web/id_ed25519",
                "machines/web/run/console.log", "net/network.lock", "locks/web.lock", "home/.bashrc",
            ] { doors.protected.append(try folder.file(name)) }
            doors.secret = [
                folder("machines/web/id_ed25519"), folder("machines/web/disk.qcow2"), folder("home/.bashrc"),
            ]
            let subnet = try #require(IPv4Subnet("10.77.0.0/24"))
            var configuration = NetworkConfiguration(name: "shop", subnet: subnet, folder: folder("net"))
            configuration.machines = [
                MachineAttachment(
                    name: "web", mac: try #require(MACAddress("52:54:00:00:00:01")),
                    socket: folder("machines/web/run/net.sock"), access: folder("machines/web/run/guest.sock"))
            ]
            try FileSystem.makeDirectory(configuration.run)
            let told = configuration
            let open = try doors.open {
                _ = try Sandbox.enter(told)
                try AtomicFile.write("{}", to: told.leaseFile)
            }
            if !open.isEmpty { print(open) }
            listener.close()
            exit(open.isEmpty ? 0 : 1)
        }
    }
}
