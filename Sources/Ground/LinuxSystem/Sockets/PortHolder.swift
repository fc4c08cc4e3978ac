import CLinux
import Glibc
public import NetworkAddress
public import SystemPackage

/// Which process has a port of this host.
public struct PortHolder: Sendable, Hashable {
    public let process: Int32
    /// As ps(1) shows it in short.
    public let name: String
    /// Its command line, in words.
    public let arguments: [String]

    /// Whether something on this host has the port, so that another socket cannot be bound to it.
    /// - Parameter address: IPv4, in the order of the network's bytes.
    public static func isTaken(_ port: UInt16, _ transport: Transport, address: UInt32) -> Bool {
        let kind = transport == .tcp ? CInt(SOCK_STREAM.rawValue) : CInt(SOCK_DGRAM.rawValue)
        let raw = socket(AF_INET, kind | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard raw >= 0 else { return false }
        let descriptor = OwnedDescriptor(owning: raw)
        var one: CInt = 1
        // As a server does: connections that are over do not count.
        if transport == .tcp {
            _ = unsafe setsockopt(raw, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<CInt>.size))
        }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = address
        return unsafe linux_bind_inet(descriptor.rawValue, &name) == -Int(EADDRINUSE)
    }

    /// The process that listens at a port. nil if there is none, or if it is another user's.
    public static func find(_ port: UInt16, _ transport: Transport) -> PortHolder? {
        let sockets = Set(
            [transport.rawValue, "\(transport.rawValue)6"].flatMap { inodes("/proc/net/\($0)", port, transport) })
        guard !sockets.isEmpty, let processes = try? FileSystem.list("/proc") else { return nil }
        for process in processes {
            guard let identifier = Int32(process) else { continue }
            let folder = FilePath("/proc").appending(process)
            // Other users' processes do not show what they have open.
            for descriptor in (try? FileSystem.list(folder.appending("fd"))) ?? [] {
                guard let target = FileSystem.linkTarget(folder.appending("fd").appending(descriptor)),
                    sockets.contains(target)
                else { continue }
                return PortHolder(process: identifier, folder: folder)
            }
        }
        return nil
    }

    private init(process: Int32, folder: FilePath) {
        func text(_ name: String) -> String {
            let bytes = (try? OwnedDescriptor.open(folder.appending(name), .readOnly).read(upTo: 4096)) ?? []
            return String(decoding: bytes, as: UTF8.self)
        }
        self.process = process
        name = String(text("comm").prefix { $0 != "\n" })
        arguments = text("cmdline").split(separator: "\0").map(String.init)
    }

    /// `socket:[INODE]` of the sockets of a table of proc(5) that listen at the port.
    private static func inodes(_ table: String, _ port: UInt16, _ transport: Transport) -> [String] {
        let bytes = (try? FileSystem.read(FilePath(table), limit: 16 << 20)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 9, let local = fields[1].split(separator: ":").last, UInt16(local, radix: 16) == port,
                // TCP_LISTEN; UDP has no such state.
                transport == .udp || fields[3] == "0A"
            else { return nil }
            return "socket:[\(fields[9])]"
        }
    }
}

extension FileSystem {
    /// What a symbolic link says; nil if it is none.
    public static func linkTarget(_ path: FilePath) -> String? {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let count = unsafe path.withPlatformString { unsafe readlink($0, start, buffer.count - 1) }
            guard count > 0 else { return nil }
            unsafe buffer[count] = 0
            return unsafe String(cString: start)
        }
    }
}
