import Glibc
import LinuxSystem
import NetworkAddress
import NetworkControl
import SystemPackage
import Testing

@testable import UserNetwork

/// A folder with a configuration for one machine, served by the process as `wander` starts it, with its sandbox.
/// Whatever process serves it ends with the value; a test fails if a system call was refused to it.
final class NetworkEnvironment {
    let folder: FilePath
    var configuration: NetworkConfiguration
    /// The processes, whether they still run or not.
    private var started: [Int32] = []

    static var program: FilePath {
        // The executables lie beside the bundle that holds the tests.
        let bundle = CommandLine.arguments.first { $0.contains(".xctest") } ?? CommandLine.arguments[0]
        var folder = FilePath(bundle)
        while folder.lastComponent != nil, FileSystem.isAbsent(folder.appending("wander-net")) {
            folder = folder.removingLastComponent()
        }
        return folder.appending("wander-net")
    }

    init(internet: Bool = false, hostPorts: [HostPorts] = [], mtu: Int = 65_520) throws {
        folder = try TestNetwork.temporaryFolder()
        try FileSystem.makeDirectory(folder.appending("machine"))
        let subnet = try #require(IPv4Subnet("10.77.0.0/24"))
        configuration = NetworkConfiguration(
            name: "shop", subnet: subnet, internet: internet, mtu: mtu, folder: folder.appending("net"), idleSeconds: 60
        )
        configuration.machines = [
            MachineAttachment(
                name: "web", mac: try #require(MACAddress(TestNetwork.mac(1))),
                address: IPv4Address(TestNetwork.address(1)), socket: folder.appending("machine/net.sock"),
                access: folder.appending("machine/access.sock"), hostPorts: hostPorts)
        ]
    }

    deinit {
        if var client = try? NetworkClient.connect(folder: configuration.folder) { try? client.stop() }
        for identifier in started { collect(identifier) }
        #expect(refusals == [], "the sandbox that ships refuses what serving takes")
        try? FileSystem.removeTree(folder)
    }

    /// Waits until nothing is left of a process, not even its status: tests that end processes on purpose look at every
    /// child of this one that has ended, and would look at this one for ever.
    private func collect(_ identifier: Int32) {
        for _ in 0..<500 where kill(identifier, 0) == 0 {
            ChildProcess.collectAbandoned()
            usleep(10_000)
        }
    }

    func start() throws -> Bool { try start(Self.program) }

    private func start(_ program: FilePath) throws -> Bool {
        guard try NetworkProcess.ensureRunning(configuration, program: program) else { return false }
        var client = try NetworkClient.connect(folder: configuration.folder)
        started.append(try #require(try client.status().processIdentifier))
        return true
    }

    /// Starts it with a limit of open files that it cannot raise.
    func start(openFiles: Int) throws -> Bool {
        let program = folder.appending("limited")
        let script = "#!/bin/sh\nulimit -n \(openFiles)\nexec '\(Self.program)' \"$@\"\n"
        try AtomicFile.write(script, to: program, permissions: 0o700)
        return try start(program)
    }

    var log: String {
        let bytes = (try? FileSystem.read(NetworkConfiguration.logFile(in: configuration.folder))) ?? []
        return String(decoding: bytes, as: UTF8.self)
    }

    var refusals: [String] { log.split(separator: "\n").filter { $0.contains("refused system call") }.map(String.init) }

    /// Asks for the gateway's hardware address, as the guest would.
    func gatewayAnswers() throws -> Bool {
        let socket = try UnixSocket.connect(to: configuration.machines[0].socket)
        let request = Wire.arp(
            1, sender: (TestNetwork.mac(1), TestNetwork.address(1)), target: ("00:00:00:00:00:00", "10.77.0.1"))
        try socket.writeAll(Wire.be32(request.count) + request)
        guard try waitUntilReady(socket.rawValue, for: .readable, milliseconds: 5_000) else { return false }
        return try socket.read(upTo: 100).count == 4 + 60
    }

    func ended(within milliseconds: Int64 = 5_000) throws -> Bool {
        let limit = MonotonicClock.now.advanced(byMilliseconds: milliseconds)
        while MonotonicClock.now < limit {
            if !(try NetworkProcess.isRunning(folder: configuration.folder)) { return true }
            usleep(10_000)
        }
        return false
    }
}
