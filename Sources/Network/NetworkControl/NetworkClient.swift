public import JSON
public import LinuxSystem
public import NetworkAddress
public import SystemPackage

/// Talks to a running `wander-net`: one JSON object on a line in each direction. Used by one thread.
public struct NetworkClient: ~Copyable {
    private let path: FilePath
    private var connection: LineConnection

    /// - Parameter folder: ``NetworkConfiguration/folder``.
    public static func connect(folder: FilePath) throws -> NetworkClient {
        let path = NetworkConfiguration.controlSocket(in: folder)
        return NetworkClient(path: path, connection: LineConnection(try UnixSocket.connect(to: path)))
    }

    private init(path: FilePath, connection: consuming LineConnection) {
        self.path = path
        self.connection = connection
    }

    /// Sends a request and returns its answer.
    /// - Throws: What the process reports; ``NetworkError/noAnswer(_:)`` if it ends or is silent.
    @discardableResult
    public mutating func request(
        _ request: JSONValue, with descriptors: [CInt] = [], milliseconds: Int64 = 10_000,
        cancellation: Cancellation? = nil
    ) throws -> JSONValue {
        try connection.send(request.compact, with: descriptors)
        guard let line = try connection.receive(milliseconds: milliseconds, cancellation: cancellation) else {
            throw NetworkError.noAnswer(path)
        }
        let answer = try JSONParser.parse(line)
        guard answer["ok"]?.boolValue == true else { throw NetworkError(json: answer["error"] ?? .null) }
        return answer
    }

    /// Adds a machine, or changes the one of that name. Its socket exists when the call returns.
    /// - Returns: The machine's address.
    @discardableResult
    public mutating func add(_ machine: MachineAttachment) throws -> IPv4Address {
        let sockets = try MachineSockets(binding: machine)
        let answer = try request(["command": "add-machine", "machine": machine.json], with: sockets.descriptors)
        guard let address = answer["address"]?.stringValue.flatMap({ IPv4Address($0) }) else {
            throw NetworkError.noAnswer(path)
        }
        return address
    }

    /// Removes a machine with its forwards and connections. An unknown name is not an error.
    public mutating func removeMachine(_ name: String) throws {
        try request(["command": "remove-machine", "name": .string(name)])
    }

    /// Opens a port of the host. The same forward again is no error.
    /// - Returns: The port of the host, which matters where ``PortForward/hostPort`` is 0.
    @discardableResult
    public mutating func add(_ forward: PortForward) throws -> UInt16 {
        let answer = try request(["command": "add-forward", "forward": forward.json])
        guard let port = answer["hostPort"]?.integerValue.flatMap({ UInt16(exactly: $0) }) else {
            throw NetworkError.noAnswer(path)
        }
        return port
    }

    /// Closes a port of the host and its connections. An unknown port is not an error.
    public mutating func remove(_ forward: PortForward) throws {
        try request(["command": "remove-forward", "forward": forward.json])
    }

    /// Machines with addresses and traffic, forwards with their state; the schema is in ``NetworkStatus``.
    public mutating func status() throws -> NetworkStatus {
        try NetworkStatus(json: try request(["command": "status"]))
    }

    /// Waits until a guest's TCP port accepts connections, without making one that the guest's program would see.
    /// - Returns: Whether it opened in time.
    public mutating func waitForPort(
        _ port: UInt16, of machine: String, milliseconds: Int64, cancellation: Cancellation? = nil
    ) throws -> Bool {
        let answer = try request(
            [
                "command": "wait-port", "machine": .string(machine), "port": .integer(Int64(port)),
                "milliseconds": .integer(milliseconds),
            ],
            milliseconds: milliseconds + 5_000, cancellation: cancellation)
        return answer["open"]?.boolValue ?? false
    }

    /// Ends the process; its machines lose their network until another is started.
    public mutating func stop() throws { try request(["command": "stop"]) }

    /// Turns the connection into a stream of a pcap file: every frame from and to one machine, or all of them.
    public consuming func capture(machine: String?, output: borrowing OwnedDescriptor, cancellation: Cancellation)
        throws
    {
        try request(["command": "capture", "machine": .optional(machine)])
        var rest: [UInt8] = []
        let stream = connection.takeDescriptor(rest: &rest)
        try output.writeAll(rest)
        while try waitUntilReady(stream.rawValue, for: .readable, milliseconds: -1, cancellation: cancellation) {
            let bytes = try stream.read(upTo: 1 << 18)
            guard !bytes.isEmpty else { return }
            try output.writeAll(bytes)
        }
    }
}
