import Glibc
import LinuxSystem
import SystemPackage

/// A guest with just enough ARP and TCP to move data, on the socket of `wander-net` or `passt`: both take frames behind
/// their length in four bytes. Its data is zeros, so that its own checksums cost nothing.
final class ScriptedGuest {
    static let mac: [UInt8] = [0x52, 0x54, 0, 0, 0, 1]
    static let address: [UInt8] = [10, 77, 0, 11]
    static let gateway: [UInt8] = [10, 77, 0, 1]
    static let segmentSize = 65_480
    private static let shift = 7

    private let socket: OwnedDescriptor
    private var gatewayMAC: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
    private var input = [UInt8](repeating: 0, count: 1 << 20)
    private var filled = 0
    private var output: [UInt8] = []
    private var remotePort: UInt16 = 0
    private(set) var next: UInt32 = 1
    private(set) var acknowledged: UInt32 = 1
    private var expected: UInt32 = 0
    private var window = 0
    private var remoteShift = 0
    /// Bytes of data that have arrived.
    private(set) var received = 0
    private var connected = false
    private var stalls = 0

    init(_ socket: consuming OwnedDescriptor) throws {
        self.socket = socket
        try self.socket.setNonBlocking()
    }

    private static func be16(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 0xff), UInt8(value & 0xff)] }
    private static func be32(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }

    private static func checksum(_ bytes: [UInt8]) -> [UInt8] {
        var sum: UInt32 = 0
        for index in stride(from: 0, to: bytes.count - 1, by: 2) {
            sum += UInt32(bytes[index]) << 8 | UInt32(bytes[index + 1])
        }
        while sum > 0xffff { sum = (sum & 0xffff) + sum >> 16 }
        return be16(Int(~sum & 0xffff))
    }

    private func queue(_ frame: [UInt8], zeros: Int = 0) {
        output += Self.be32(UInt32(frame.count + zeros)) + frame
        output.append(contentsOf: repeatElement(0, count: zeros))
    }

    private func segment(_ flags: UInt8, options: [UInt8] = [], zeros: Int = 0) {
        let size = 20 + options.count + zeros
        var ip = [0x45, 0] + Self.be16(20 + size) + [0, 0, 0x40, 0, 64, 6, 0, 0] + Self.address + Self.gateway
        ip.replaceSubrange(10..<12, with: Self.checksum(ip))
        var tcp = Self.be16(40_000) + Self.be16(Int(remotePort)) + Self.be32(next) + Self.be32(expected)
        tcp += [UInt8(5 + options.count / 4) << 4, flags, 0xff, 0xff, 0, 0, 0, 0] + options
        tcp.replaceSubrange(16..<18, with: Self.checksum(Self.address + Self.gateway + [0, 6] + Self.be16(size) + tcp))
        queue(gatewayMAC + Self.mac + [8, 0] + ip + tcp, zeros: zeros)
        next = next &+ UInt32(zeros) &+ (flags & 3 != 0 ? 1 : 0)
    }

    /// Moves what can be moved; waits until something can.
    func turn() throws {
        let interest: Poller.Interest = output.isEmpty ? .readable : [.readable, .writable]
        guard try waitUntilReady(socket.rawValue, for: interest, milliseconds: 200) else { return try repeatLast() }
        stalls = 0
        if !output.isEmpty {
            let written = output.withUnsafeBytes { write(socket.rawValue, $0.baseAddress, $0.count) }
            if written > 0 { output.removeFirst(written) }
        }
        let count = input.withUnsafeMutableBytes {
            read(socket.rawValue, $0.baseAddress.map { $0 + filled }, $0.count - filled)
        }
        guard count != 0 else { throw SystemError("read from the network", nil, .connectionReset) }
        guard count > 0 else { return }
        filled += count
        var position = 0
        var hasData = false
        while filled - position >= 4 {
            let length = Int(number(position, 4))
            guard filled - position - 4 >= length else { break }
            hasData = take(position + 4) || hasData
            position += 4 + length
        }
        input.withUnsafeMutableBytes { bytes in
            bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[position..<filled]))
        }
        filled -= position
        if hasData { segment(0x10) }
    }

    /// After silence: asks again, knocks again, or goes back to what was not acknowledged.
    private func repeatLast() throws {
        stalls += 1
        guard stalls < 50 else { throw SystemError("move data for 10 s", nil, .timedOut) }
        if gatewayMAC[0] == 0xff { return askForGateway() }
        next = acknowledged
        if !connected { return knock() }
        segment(0x10)
    }

    private func askForGateway() {
        queue(
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] + Self.mac + [8, 6, 0, 1, 8, 0, 6, 4, 0, 1] + Self.mac + Self.address
                + [0, 0, 0, 0, 0, 0] + Self.gateway)
    }

    private func knock() {
        segment(0x02, options: [2, 4] + Self.be16(Self.segmentSize) + [1, 3, 3, UInt8(Self.shift)])
    }

    private func number(_ offset: Int, _ count: Int) -> UInt32 {
        input[offset..<offset + count].reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Takes a frame.
    /// - Returns: Whether it had data for the connection.
    private func take(_ start: Int) -> Bool {
        if number(start + 12, 2) == 0x0806 {
            if number(start + 20, 2) == 2 {
                gatewayMAC = Array(input[start + 22..<start + 28])
            } else if Array(input[start + 38..<start + 42]) == Self.address {
                let asker = Array(input[start + 22..<start + 32])
                queue(
                    Array(asker[0..<6]) + Self.mac + [8, 6, 0, 1, 8, 0, 6, 4, 0, 2] + Self.mac + Self.address + asker)
            }
            return false
        }
        guard number(start + 12, 2) == 0x0800, input[start + 23] == 6, number(start + 36, 2) == 40_000 else {
            return false
        }
        let header = Int(input[start + 46] >> 4) * 4
        let count = Int(number(start + 16, 2)) - 20 - header
        let flags = input[start + 47]
        if flags & 0x02 != 0 {
            expected = number(start + 38, 4) &+ 1
            remoteShift = shift(in: start + 54..<start + 34 + header)
            connected = true
        }
        acknowledged = number(start + 42, 4)
        window = Int(number(start + 48, 2)) << (flags & 0x02 != 0 ? 0 : remoteShift)
        guard count > 0, number(start + 38, 4) == expected else { return count > 0 }
        expected = expected &+ UInt32(count)
        received += count
        return true
    }

    private func shift(in options: Range<Int>) -> Int {
        var position = options.lowerBound
        while position < options.upperBound, input[position] != 0 {
            if input[position] == 3 { return Int(input[position + 2]) }
            position += input[position] == 1 ? 1 : max(2, Int(input[position + 1]))
        }
        return 0
    }

    /// Connects to a port of the host's loopback interface.
    func connect(to port: UInt16) throws {
        askForGateway()
        while gatewayMAC[0] == 0xff { try turn() }
        remotePort = port
        knock()
        while !connected { try turn() }
        segment(0x10)
    }

    /// Fills the window that the network offers, and goes on for `seconds`.
    /// - Returns: Bytes a second that were acknowledged.
    func upload(seconds: Double) throws -> Double {
        let start = MonotonicClock.now
        let first = acknowledged
        var total = 0
        var last = first
        while true {
            total += Int(acknowledged &- last)
            last = acknowledged
            let passed = Double(MonotonicClock.now.nanoseconds - start.nanoseconds) / 1e9
            if passed >= seconds { return Double(total) / passed }
            while Int(next &- acknowledged) + Self.segmentSize <= window, output.count < 1 << 20 {
                segment(0x18, zeros: Self.segmentSize)
            }
            try turn()
        }
    }

    /// - Returns: Bytes a second that arrived.
    func download(seconds: Double) throws -> Double {
        let start = MonotonicClock.now
        while true {
            try turn()
            let passed = Double(MonotonicClock.now.nanoseconds - start.nanoseconds) / 1e9
            if passed >= seconds { return Double(received) / passed }
        }
    }

    /// Sends a byte and waits for it to come back, `count` times.
    /// - Returns: The median, in seconds.
    func roundTrip(count: Int) throws -> Double {
        var times: [Int64] = []
        for _ in 0..<count {
            let start = MonotonicClock.now
            let before = received
            segment(0x18, zeros: 2)
            while received < before + 2 { try turn() }
            times.append(MonotonicClock.now.nanoseconds - start.nanoseconds)
        }
        return Double(times.sorted()[count / 2]) / 1e9
    }
}
