import Glibc
import JSON
import LinuxSystem
import NetworkControl
import Testing

@testable import UserNetwork

/// Clients of the control socket that do not keep to the protocol.
@Suite final class ControlConnectionTests {
    private let test: TestNetwork
    private let socket: OwnedDescriptor

    init() throws {
        test = try TestNetwork(persistent: true)
        try test.network.listenForControl()
        socket = try UnixSocket.connect(to: test.network.configuration.controlSocket)
        try socket.setNonBlocking()
    }

    /// The answers up to the end of the connection, or as many as are wanted.
    private func answers(_ count: Int? = nil) throws -> [JSONValue] {
        var received: [UInt8] = []
        try test.turn {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            let result = buffer.withUnsafeMutableBytes { read(socket.rawValue, $0.baseAddress, $0.count) }
            if result > 0 { received += buffer[..<result] }
            return result == 0 || received.count { $0 == 0x0a } == count
        }
        return try received.split(separator: 0x0a).map { try JSONParser.parse(Array($0)) }
    }

    /// Sends a request with descriptors that nobody else has.
    /// - Returns: What reads their end.
    private func send(_ request: String, descriptors count: Int) throws -> [SharedDescriptor] {
        var readers: [SharedDescriptor] = []
        var writers: [SharedDescriptor] = []
        for _ in 0..<count {
            let pipe = try OwnedDescriptor.pipe()
            readers.append(SharedDescriptor(try pipe.read.duplicate()))
            writers.append(SharedDescriptor(try pipe.write.duplicate()))
        }
        try UnixSocket.send(Array(request.utf8), with: writers.map(\.rawValue), through: socket)
        return readers
    }

    /// Whether whoever could write has closed.
    private func areClosed(_ readers: [SharedDescriptor]) throws -> Bool {
        try readers.allSatisfy { try waitUntilReady($0.rawValue, for: .readable, milliseconds: 2_000) }
    }

    @Test("more descriptors than a request takes are answered by an error and closed", arguments: [3, 16])
    func tooMany(count: Int) throws {
        let readers = try send("{\"command\": \"ping\"}\n", descriptors: count)
        let answers = try answers()
        #expect(answers.map { $0["ok"]?.boolValue } == [false])
        let error = NetworkError(json: answers[0]["error"] ?? .null)
        #expect(error.summary == ControlError.tooManyDescriptors(limit: 2).summary)
        #expect(try areClosed(readers))
    }

    @Test("so are those that come with the pieces of one request") func pieces() throws {
        var readers = try send("{\"command\":", descriptors: 2)
        readers += try send(" \"ping\"", descriptors: 1)
        #expect(try answers().map { $0["ok"]?.boolValue } == [false])
        #expect(try areClosed(readers))
    }

    @Test("who waits for something else is told, too, and waits no longer") func busy() throws {
        _ = try test.peer("web", 1)
        try socket.writeAll(
            "{\"command\": \"wait-port\", \"machine\": \"web\", \"port\": 22, \"milliseconds\": 600000}\n")
        try test.turn { test.network.hostConnections.count == 1 }
        let readers = try send("{\"command\": \"ping\"}\n", descriptors: 5)
        #expect(try answers().map { $0["ok"]?.boolValue } == [false])
        #expect(try areClosed(readers))
        try test.turn { test.network.hostConnections.isEmpty }
    }

    @Test("descriptors that a request does not want are closed, and the next may bring its own") func unwanted() throws
    {
        let readers = try send("{\"command\": \"ping\"}\n", descriptors: 2)
        #expect(try answers(1).map { $0["ok"]?.boolValue } == [true])
        #expect(try areClosed(readers))
        let attachment = try test.attachment("web", 1)
        let sockets = try MachineSockets(binding: attachment)
        guard let monitor = sockets.takeMonitor(), let access = sockets.takeAccess() else {
            Issue.record("no sockets")
            return
        }
        let request: JSONValue = ["command": "add-machine", "machine": attachment.json]
        try UnixSocket.send(
            Array((request.compact + "\n").utf8), with: [monitor.rawValue, access.rawValue], through: socket)
        #expect(try answers(1).map { $0["ok"]?.boolValue } == [true])
    }

    @Test("a request without an end is answered by an error") func endless() throws {
        let piece = [UInt8](repeating: 0x20, count: 1 << 15)
        for _ in 0...ControlConnection.lineLimit / piece.count {
            var sent = 0
            try test.turn {
                sent += max(0, write(socket.rawValue, Array(piece[sent...]), piece.count - sent))
                return sent == piece.count
            }
        }
        #expect(try answers().map { $0["ok"]?.boolValue } == [false])
    }
}
