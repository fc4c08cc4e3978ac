import Glibc
import LinuxSystem
import NetworkAddress
import NetworkControl
import SystemPackage
import Testing

@testable import UserNetwork

/// A network with scripted peers, all on the test's own thread: nothing happens but when the test lets the loop turn.
final class TestNetwork {
    let network: Network
    let folder: FilePath
    let gatewayMAC = "52:55:0a:4d:00:01"
    /// What the machines reach of the host's loopback interface.
    let hostPorts: [HostPorts]

    init(
        internet: Bool = true, hostPorts: [HostPorts] = [.all], ipv6: Bool = false, resolvers: [SocketAddress] = [],
        persistent: Bool = false
    ) throws {
        self.hostPorts = hostPorts
        Signals.ignore(SIGPIPE)
        folder = try Self.temporaryFolder()
        let subnet = try #require(IPv4Subnet("10.77.0.0/24"))
        let configuration = NetworkConfiguration(
            name: "shop", subnet: subnet, internet: internet, ipv6: ipv6, folder: folder)
        if persistent { try FileSystem.makeDirectory(configuration.run, permissions: 0o700) }
        Turn.begin()
        do {
            network = try Network(
                configuration, resolvers: ResolverConfiguration(servers: resolvers), persistent: persistent)
        } catch {
            Turn.end()
            throw error
        }
    }

    deinit {
        network.close()
        Turn.end()
        try? FileSystem.removeTree(folder)
    }

    static func temporaryFolder() throws -> FilePath {
        let folder = FilePath("/tmp/wander-net-test-\(randomIdentifier())")
        try FileSystem.makeDirectory(folder, permissions: 0o700)
        return folder
    }

    static func mac(_ number: Int) -> String { "52:54:00:00:00:0\(number)" }
    static func address(_ number: Int) -> String { "10.77.0.1\(number)" }

    func attachment(_ name: String, _ number: Int) throws -> MachineAttachment {
        let mac = try #require(MACAddress(Self.mac(number)))
        return MachineAttachment(
            name: name, mac: mac, address: IPv4Address(Self.address(number)), aliases: ["\(name)-alias"],
            socket: folder.appending("\(name).sock"), access: folder.appending("\(name)-access.sock"),
            hostPorts: hostPorts)
    }

    /// Adds a machine and connects a peer in its monitor's place.
    func peer(_ name: String, _ number: Int) throws -> ScriptedPeer {
        let machine = try network.add(try attachment(name, number))
        let peer = try ScriptedPeer(machine: machine, number: number, in: self)
        try turn { machine.link != nil }
        return peer
    }

    /// Lets the loop turn until `condition` holds.
    func turn(
        within milliseconds: Int64 = 5_000, _ location: Testing.SourceLocation = #_sourceLocation,
        until condition: () throws -> Bool
    ) throws {
        let limit = MonotonicClock.now.advanced(byMilliseconds: milliseconds)
        while !(try condition()) {
            guard MonotonicClock.now < limit else {
                Issue.record("what the test waits for did not happen", sourceLocation: location)
                throw SystemError("wait", nil, .timedOut)
            }
            network.loop.round(limit: 5)
        }
    }

    /// Lets everything happen that is going to.
    func settle(rounds: Int = 12) { for _ in 0..<rounds { network.loop.round(limit: 1) } }
}

/// libslirp keeps state that all of its instances share, so there is one network at a time, on whichever thread.
private enum Turn {
    // SAFETY: made once; a semaphore is for several threads.
    private nonisolated(unsafe) static let semaphore: UnsafeMutablePointer<sem_t> = {
        let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        sem_init(semaphore, 0, 1)
        return semaphore
    }()
    static func begin() { while sem_wait(semaphore) != 0 {} }
    static func end() { sem_post(semaphore) }
}

/// A guest and its monitor, played by the test.
final class ScriptedPeer: FrameGuest {
    let machine: Station
    let mac: String
    let address: String
    private let test: TestNetwork
    private let socket: OwnedDescriptor
    private var input: [UInt8] = []
    var frames: [Seen] = []

    init(machine: Station, number: Int, in test: TestNetwork) throws {
        self.machine = machine
        self.test = test
        mac = TestNetwork.mac(number)
        address = TestNetwork.address(number)
        socket = try UnixSocket.connect(to: machine.attachment.socket)
        try socket.setNonBlocking()
    }

    func disconnect() { _ = shutdown(socket.rawValue, CInt(SHUT_RDWR)) }

    /// Sends a frame as a monitor does; false if the network does not take it now.
    @discardableResult
    func send(_ frame: [UInt8]) -> Bool {
        sendRaw(Wire.be32(frame.count) + frame)
    }

    @discardableResult
    func sendRaw(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        var patience = 200
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(socket.rawValue, $0.baseAddress, $0.count) }
            if written > 0 {
                rest = rest.dropFirst(written)
            } else {
                patience -= 1
                // Nothing of the frame went out: it may be given up.
                if patience == 0, rest.count == bytes.count { return false }
                if patience < -2_000 { return false }
                test.network.loop.round(limit: 1)
            }
        }
        return true
    }

    /// Sends an IPv4 packet to the gateway, or to another peer.
    @discardableResult
    func send(packet: [UInt8]) -> Bool { send(packet: packet, to: nil) }

    @discardableResult
    func send(packet: [UInt8], to other: ScriptedPeer?) -> Bool {
        send(Wire.ethernet(to: other?.mac ?? test.gatewayMAC, from: mac, type: 0x0800, packet))
    }

    /// Reads what has arrived into ``frames``.
    func receive() {
        while true {
            var buffer = [UInt8](repeating: 0, count: 1 << 18)
            let count = buffer.withUnsafeMutableBytes { read(socket.rawValue, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            input += buffer[..<count]
        }
        var position = 0
        while input.count - position >= 4 {
            let length = input[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
            guard input.count - position - 4 >= length else { break }
            frames.append(Seen(Array(input[position + 4..<position + 4 + length])))
            position += 4 + length
        }
        input.removeFirst(position)
    }

    /// Waits for a frame and takes it out.
    func expect(
        _ location: Testing.SourceLocation = #_sourceLocation, _ matches: (Seen) -> Bool
    ) throws -> Seen {
        var found: Seen?
        try test.turn(location) {
            receive()
            guard let index = frames.firstIndex(where: matches) else { return false }
            found = frames.remove(at: index)
            return true
        }
        return try #require(found)
    }

    /// Whether no such frame arrives.
    func hears(_ matches: (Seen) -> Bool) -> Bool {
        test.settle()
        receive()
        return frames.contains(where: matches)
    }
}
