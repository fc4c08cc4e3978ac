import Glibc
import JSON
import LinuxSystem
import NetworkAddress
import NetworkControl
import SystemPackage

/// A client of the control socket: it sends JSON objects, one a line, and gets one answer for each, in order.
final class ControlConnection: EventSource {
    /// In bytes, of a request.
    static let lineLimit = 1 << 20
    /// The descriptors that a request may bring: a machine's sockets.
    static let descriptorLimit = 2

    private var descriptor: HeldDescriptor?
    private unowned let network: Network
    private var input: [UInt8] = []
    private var output = ByteQueue()
    /// Whether a request is being worked on; later ones wait.
    private var busy = false
    private var inputEnded = false
    private var probe: HostConnection?
    /// Descriptors that came, for the request that comes with them.
    private var received: [HeldDescriptor] = []

    init(_ descriptor: consuming OwnedDescriptor, network: Network) {
        self.descriptor = HeldDescriptor(descriptor)
        self.network = network
    }

    override var rawDescriptor: CInt { descriptor?.rawValue ?? -1 }
    override var interest: Int16 { (inputEnded ? 0 : Int16(POLLIN)) | (output.isEmpty ? 0 : Int16(POLLOUT)) }

    override func ready(_ events: Int16) {
        guard let descriptor else { return }
        if events & Int16(POLLIN | POLLHUP | POLLERR) != 0, !inputEnded {
            receive(descriptor.descriptor)
            serve()
            // Whoever has closed the socket does not wait for an answer any more.
            if inputEnded, busy, events & Int16(POLLHUP) != 0 {
                probe?.finish()
                return finish()
            }
        }
        if self.descriptor != nil { flush() }
    }

    private func receive(_ socket: borrowing OwnedDescriptor) {
        do throws(SystemError) {
            let message = try UnixSocket.receive(
                upTo: 1 << 16, descriptorLimit: Self.descriptorLimit, through: socket)
            if message.bytes.isEmpty { inputEnded = true }
            input += message.bytes
            received += message.descriptors.map { HeldDescriptor(OwnedDescriptor(owning: $0)) }
        } catch {
            switch error.errno {
            case .wouldBlock: return
            // All of them are closed, and what came with them is lost.
            case .messageTooLong: return refuse(.tooManyDescriptors(limit: Self.descriptorLimit))
            default: return finish()
            }
        }
        if received.count > Self.descriptorLimit { refuse(.tooManyDescriptors(limit: Self.descriptorLimit)) }
        if input.count > Self.lineLimit { refuse(.tooLong(limit: Self.lineLimit)) }
    }

    /// Ends the connection by an error: where the next request begins is not known.
    private func refuse(_ error: ControlError) {
        input = []
        received = []
        probe?.finish()
        probe = nil
        busy = false
        inputEnded = true
        answer(["ok": false, "error": NetworkError.json(of: error)])
    }

    private func serve() {
        while !busy, let end = input.firstIndex(of: 0x0a) {
            let line = Array(input[..<end])
            input.removeSubrange(...end)
            do {
                try obey(try JSONParser.parse(line, limit: Self.lineLimit))
            } catch { answer(["ok": false, "error": NetworkError.json(of: error)]) }
        }
        // Nobody has asked for what came with a request that has been served.
        if input.isEmpty { received = [] }
        if inputEnded, !busy, output.isEmpty { finish() }
    }

    private func answer(_ value: JSONValue) {
        unsafe output.append(Array((value.compact + "\n").utf8).span.bytes)
        flush()
    }

    private func flush() {
        guard let descriptor, !output.isEmpty else { return }
        let bytes = unsafe output.bytes
        let written = unsafe write(descriptor.rawValue, bytes.baseAddress, bytes.count)
        if written > 0 {
            output.removeFirst(written)
        } else if written < 0, errno != EAGAIN, errno != EINTR {
            return finish()
        }
        if inputEnded, !busy, output.isEmpty { finish() }
    }

    private func obey(_ request: JSONValue) throws {
        let reader = try JSONObjectReader(request, path: "request")
        switch try reader.string("command") {
        case "ping": answer(["ok": true])
        case "status": answer(network.status)
        case "add-machine":
            let attachment = try MachineAttachment(json: request["machine"] ?? .null)
            let machine = try network.add(attachment, sockets: try takeSockets(attachment))
            answer(["ok": true, "address": .string(machine.address.description)])
        case "remove-machine":
            if let machine = network.machine(try reader.string("name")) { network.remove(machine) }
            answer(["ok": true])
        case "add-forward":
            let port = try network.add(try PortForward(json: request["forward"] ?? .null))
            answer(["ok": true, "hostPort": .integer(Int64(port))])
        case "remove-forward":
            network.remove(try PortForward(json: request["forward"] ?? .null))
            answer(["ok": true])
        case "wait-port": try waitForPort(reader)
        case "capture": try startCapture(reader)
        case "stop":
            answer(["ok": true])
            network.stop()
        case let command: throw ControlError.unknownCommand(command)
        }
    }

    /// The sockets that came with a request to add a machine; nil if none did.
    private func takeSockets(_ attachment: MachineAttachment) throws -> MachineSockets? {
        defer { received = [] }
        guard let monitor = received.first else { return nil }
        guard received.count == (attachment.access == nil ? 1 : 2) else { throw ControlError.wrongSockets }
        let socket = try monitor.descriptor.duplicate()
        if attachment.access == nil { return MachineSockets(monitor: socket, access: nil) }
        return MachineSockets(monitor: socket, access: try received[1].descriptor.duplicate())
    }

    private func known(_ name: String) throws -> Station {
        guard let machine = network.machine(name) else { throw ForwardError.unknownMachine(name) }
        return machine
    }

    private func waitForPort(_ reader: JSONObjectReader) throws {
        let machine = try known(try reader.string("machine"))
        guard let port = UInt16(exactly: try reader.integer("port")), port > 0 else {
            throw JSONError.wrongType("request: port", expected: "a number from 1 to 65535")
        }
        let time = max(0, try reader.integer("milliseconds"))
        busy = true
        let probe = HostConnection(
            probing: port, machine: machine, network: network, milliseconds: time
        ) { [weak self] open in
            guard let self, !isFinished else { return }
            busy = false
            self.probe = nil
            answer(["ok": true, "open": .bool(open)])
            serve()
        }
        self.probe = probe
        network.add(probe)
    }

    /// From the answer on, the connection carries a pcap file.
    private func startCapture(_ reader: JSONObjectReader) throws {
        let machine = try reader.optionalString("machine").map { try known($0) }
        guard let descriptor else { return }
        let stream = try descriptor.descriptor.duplicate()
        answer(["ok": true])
        let capture = Capture(stream, machine: machine)
        network.captures.append(capture)
        network.loop.add(capture)
        self.descriptor = nil
        finish()
    }
}
