import Glibc
import LinuxSystem
import SystemPackage

/// Measures one network process, over its socket, with a scripted guest and a server on the host's loopback interface.
@main enum NetworkBenchmark {
    static func main() {
        do {
            try Measurement.run(Array(CommandLine.arguments.dropFirst()))
        } catch {
            print("\(error)")
            exit(1)
        }
    }
}

enum Measurement {
    static func run(_ arguments: [String]) throws {
        guard arguments.count >= 3, let amount = Double(arguments[2]) else {
            print(
                """
                usage: network-benchmark SOCKET upload|download SECONDS      prints bytes a second
                       network-benchmark SOCKET latency COUNT                prints the median round trip in seconds
                       network-benchmark SOCKET switch SECONDS OTHER-SOCKET  prints bytes a second from guest to guest
                """)
            exit(64)
        }
        signal(SIGPIPE, SIG_IGN)
        let path = FilePath(arguments[0])
        if arguments[1] == "switch", arguments.count == 4 {
            return print(try Switching.rate(from: path, to: FilePath(arguments[3]), seconds: amount))
        }
        let (port, server) = try LoopbackServer.start(arguments[1])
        let guest = try ScriptedGuest(try UnixSocket.connect(to: path))
        try guest.connect(to: port)
        switch arguments[1] {
        case "upload": print(try guest.upload(seconds: amount))
        case "download": print(try guest.download(seconds: amount))
        default: print(try guest.roundTrip(count: max(1, Int(amount))))
        }
        _ = consume server  // It ends with the process.
    }
}

/// The host's side of a connection.
enum LoopbackServer {
    static func start(_ mode: String) throws -> (UInt16, ThreadHandle) {
        let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port: UInt16? = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                guard bind(raw, $0, size) == 0, listen(raw, 1) == 0, getsockname(raw, $0, &size) == 0 else {
                    return nil
                }
                return UInt16(bigEndian: UnsafeRawPointer($0).load(fromByteOffset: 2, as: UInt16.self))
            }
        }
        guard let port else { throw SystemError("listen on the loopback interface", nil, Errno(rawValue: errno)) }
        let thread = try Thread(name: "server") {
            let connection = accept(raw, nil, nil)
            var one: Int32 = 1
            setsockopt(connection, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
            var buffer = [UInt8](repeating: 0, count: 1 << 18)
            while true {
                if mode != "download" {
                    let count = read(connection, &buffer, buffer.count)
                    guard count > 0 else { return }
                    if mode == "latency", write(connection, buffer, count) != count { return }
                } else if write(connection, buffer, buffer.count) <= 0 {
                    return
                }
            }
        }
        return (port, ThreadHandle(thread))
    }
}

/// Frames from one guest to another.
enum Switching {
    static func rate(from source: FilePath, to target: FilePath, seconds: Double) throws -> Double {
        let receiver = try UnixSocket.connect(to: target)
        let sender = try UnixSocket.connect(to: source)
        // An IPv4 packet of the largest size between 10.77.0.11 and .12; the switch reads no further than its header.
        let size = 65_520
        var frame: [UInt8] = [0x52, 0x54, 0, 0, 0, 2] + ScriptedGuest.mac + [8, 0]
        frame += [0x45, 0, UInt8(size >> 8), UInt8(size & 0xff), 0, 0, 0x40, 0, 64, 253, 0, 0] + ScriptedGuest.address
        frame += [10, 77, 0, 12] + [UInt8](repeating: 0, count: size - 20)
        let count = UInt32(frame.count)
        let message = (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) } + frame
        let thread = try Thread(name: "sender") {
            while (try? sender.writeAll(message)) != nil {}
        }
        let start = MonotonicClock.now
        var total = 0
        while true {
            total += try receiver.read(upTo: 1 << 18).count
            let passed = Double(MonotonicClock.now.nanoseconds - start.nanoseconds) / 1e9
            if passed >= seconds {
                _ = consume thread  // It ends with the process.
                return Double(total) / passed
            }
        }
    }
}
