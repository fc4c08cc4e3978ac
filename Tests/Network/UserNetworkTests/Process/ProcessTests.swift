import Glibc
import JSON
import LinuxSystem
import NetworkAddress
import NetworkControl
import SystemPackage
import Testing

@testable import UserNetwork

/// The process as `wander` starts it, with its sandbox.
@Suite struct ProcessTests {
    @Test("starts once, serves, reports, and stops when told") func life() throws {
        let environment = try NetworkEnvironment()
        setenv("WANDER_TEST_SECRET", "x", 1)
        #expect(try !NetworkProcess.isRunning(folder: environment.configuration.folder))
        #expect(try environment.start())
        #expect(try !environment.start(), "a second start finds the first")
        #expect(try environment.gatewayAnswers())
        var client = try NetworkClient.connect(folder: environment.configuration.folder)
        let port = try client.add(PortForward(machine: "web", hostPort: 0, guestPort: 80))
        let status = try client.status()
        #expect(status.machine("web")?.address == IPv4Address(TestNetwork.address(1)))
        #expect(status.forwards.map(\.forward.hostPort) == [port])
        #expect(status.forwards[0].failure == nil)
        // Root alone may look at it.
        if getuid() == 0 {
            let file = FilePath("/proc/\(try #require(status.processIdentifier))/environ")
            let variables = String(decoding: try FileSystem.read(file, limit: 1 << 20), as: UTF8.self)
            #expect(variables.contains("PATH=") && !variables.contains("WANDER_TEST_SECRET"))
        }
        #expect(try !client.waitForPort(80, of: "web", milliseconds: 100))
        try client.stop()
        #expect(try environment.ended())
        // The machine's folder is not the process's to change, so a dead socket may stay there.
        #expect(throws: SystemError.self) {
            _ = try UnixSocket.connect(to: environment.configuration.machines[0].socket)
        }
    }

    @Test("after kill -9, the next start serves the same machines and forwards") func restart() throws {
        let environment = try NetworkEnvironment()
        #expect(try environment.start())
        var client = try NetworkClient.connect(folder: environment.configuration.folder)
        let other = MachineAttachment(
            name: "db", mac: try #require(MACAddress(TestNetwork.mac(2))),
            socket: environment.folder.appending("machine/db.sock"))
        let address = try client.add(other)
        let port = try client.add(PortForward(machine: "db", hostPort: 0, guestPort: 5432))
        kill(try #require(try client.status().processIdentifier), SIGKILL)
        #expect(try environment.ended())
        // Whoever starts it knows which machines live, and what leads to them.
        environment.configuration.machines.append(other)
        environment.configuration.forwards = [PortForward(machine: "db", hostPort: port, guestPort: 5432)]
        #expect(try environment.start())
        #expect(try environment.gatewayAnswers())
        var again = try NetworkClient.connect(folder: environment.configuration.folder)
        let status = try again.status()
        #expect(status.machine("db")?.address == address)
        #expect(status.forwards.count == 1)
        #expect(port > 0)
        #expect(try FileSystem.exists(other.socket))
    }

    @Test("a machine that cannot join leaves the others their network, unless it is the one that is to be added")
    func misfit() throws {
        let environment = try NetworkEnvironment()
        let misfit = MachineAttachment(
            name: "db", mac: try #require(MACAddress(TestNetwork.mac(2))), address: IPv4Address("192.168.7.7"),
            socket: environment.folder.appending("machine/db.sock"))
        #expect(
            try NetworkProcess.ensureRunning(
                environment.configuration, program: NetworkEnvironment.program,
                starting: { $0.machines.insert(misfit, at: 0) }))
        #expect(try environment.gatewayAnswers())
        #expect(environment.log.contains("db: not added: machine 'db' cannot have the address 192.168.7.7"))
        var client = try NetworkClient.connect(folder: environment.configuration.folder)
        #expect(try client.status().machines.map(\.name) == ["web"])
        try client.stop()
        #expect(try environment.ended())
        environment.configuration.machines.append(misfit)
        #expect(throws: NetworkError.self) { try environment.start() }
    }

    @Test("ends by itself when no machine has been connected for its time") func idle() throws {
        let environment = try NetworkEnvironment()
        environment.configuration.idleSeconds = 1
        #expect(try environment.start())
        #expect(try environment.ended(within: 10_000))
    }

    @Test("ends by itself when its folder was removed, whether or not a machine ever connected") func abandoned() throws
    {
        let environment = try NetworkEnvironment()
        environment.configuration.idleSeconds = 600
        #expect(try environment.start())
        let lock = try OwnedDescriptor.open(
            NetworkConfiguration.lockFile(in: environment.configuration.folder), .readWrite)
        try FileSystem.removeTree(environment.folder)
        let limit = MonotonicClock.now.advanced(byMilliseconds: 20_000)
        while try OpenFileLock.isHeldElsewhere(lock), MonotonicClock.now < limit { usleep(20_000) }
        #expect(try !OpenFileLock.isHeldElsewhere(lock))
    }

    @Test("the process cannot start programs or reach files of others once it serves") func sandbox() throws {
        let environment = try NetworkEnvironment()
        #expect(try environment.start())
        var client = try NetworkClient.connect(folder: environment.configuration.folder)
        let process = try #require(try client.status().processIdentifier)
        let text = String(
            decoding: try FileSystem.read(FilePath("/proc/\(process)/status"), limit: 1 << 16), as: UTF8.self)
        #expect(text.contains("NoNewPrivs:\t1"))
        #expect(text.contains("Seccomp:\t2"))
        #expect(try FileSystem.list(FilePath("/proc/\(process)/task")).count == 1, "no thread is outside of the limits")
        // SIGXFSZ is the 25th.
        let ignored = try #require(text.split(separator: "\n").first { $0.hasPrefix("SigIgn:") })
        #expect(try #require(UInt64(ignored.dropFirst(8), radix: 16)) >> 24 & 1 == 1)
        // A machine comes with its sockets, wherever they are; the process makes none.
        let outside = MachineAttachment(
            name: "x", mac: try #require(MACAddress(TestNetwork.mac(3))),
            socket: environment.folder.appending("elsewhere.sock"))
        #expect(throws: NetworkError.self) { try client.request(["command": "add-machine", "machine": outside.json]) }
        try client.add(outside)
        try UnixSocket.connect(to: outside.socket).close()
        // Again, with other sockets at the same place.
        try client.add(outside)
        try UnixSocket.connect(to: outside.socket).close()
    }

    @Test("a capture is a pcap file of the frames") func capture() throws {
        let environment = try NetworkEnvironment()
        #expect(try environment.start())
        let folder = environment.configuration.folder
        let pipe = try OwnedDescriptor.pipe()
        let cancellation = try Cancellation()
        let write = try pipe.write.duplicate()
        let thread = try Thread(name: "capture") {
            guard let client = try? NetworkClient.connect(folder: folder) else { return }
            try? client.capture(machine: "web", output: write, cancellation: cancellation)
        }
        var file = try pipe.read.read(upTo: 24)
        #expect(file.count == 24)
        #expect(Array(file.prefix(4)) == [0x4d, 0x3c, 0xb2, 0xa1])
        #expect(try environment.gatewayAnswers())
        file = []
        while file.count < 2 * 16 + 42 + 60 { file += try pipe.read.read(upTo: 1000) }
        // The request, with its length twice; then the answer.
        #expect(Array(file[8..<16]) == [42, 0, 0, 0, 42, 0, 0, 0])
        #expect(Array(file[28..<30]) == [8, 6])
        #expect(Array(file[16 + 42 + 8..<16 + 42 + 12]) == [60, 0, 0, 0])
        cancellation.request()
        thread.join()
    }

    @Test("a wrong configuration is reported to whoever started the process") func wrongConfiguration() throws {
        let environment = try NetworkEnvironment()
        environment.configuration.machines[0].address = IPv4Address("192.0.2.1")
        #expect(throws: NetworkError.self) { try environment.start() }
        #expect(try environment.ended())
    }

    @Test("a process that cannot be confined says so in place of having started, and ends") func notConfined() throws {
        let environment = try NetworkEnvironment()
        let file = environment.folder.appending("resolv.conf")
        // A link to itself, which a rule for this file cannot be made of.
        #expect(symlink("resolv.conf", file.string) == 0)
        environment.configuration.resolverFile = file
        let error = #expect(throws: NetworkError.self) { try environment.start() }
        #expect(error?.summary.contains(file.string) == true, "\(String(describing: error))")
        #expect(try environment.ended())
        #expect(environment.log.contains(file.string))
    }

    @Test("its log is bounded at each start: what was too long before is kept beside it") func longLog() throws {
        let environment = try NetworkEnvironment()
        let log = NetworkConfiguration.logFile(in: environment.configuration.folder)
        try FileSystem.makeDirectory(log.removingLastComponent(), permissions: 0o700)
        try AtomicFile.write(String(repeating: "old line\n", count: 200_000) + "last line\n", to: log)
        #expect(try environment.start())
        #expect(try #require(try FileSystem.status(log)).size < 100_000)
        let older = try FileSystem.read(FilePath("\(log).old"))
        #expect(older.count == 1 << 20 && older.suffix(19) == Array("old line\nlast line\n".utf8)[...])
    }
}
