import CLinux
import Glibc
import Synchronization
public import SystemPackage

/// Connects to the sockets that it was made for, and to no other, for a process that may not connect to anything: a
/// small process of its own, started before that one is confined, makes each connection and hands it over.
///
/// Whoever takes the confined process over can ask for connections that it has anyway. The helper reads one byte a
/// request, opens no files, and ends with the process that it serves.
public final class SocketConnector: Sendable {
    private struct Helper: ~Copyable {
        let socket: OwnedDescriptor
        /// What it was asked for and has not answered in time; its answer is still to come.
        var owed: Int?
    }

    /// One request at a time.
    private let helper: Mutex<Helper>
    private let paths: [FilePath]

    /// Starts the helper; before any thread starts.
    /// - Parameters:
    ///   - paths: At most 255 stream sockets in the file system.
    ///   - milliseconds: How long the helper may take for its start and for each connection: a listener that does not
    ///     take its connections holds up whoever connects (connect(2)).
    public init(to paths: [FilePath], milliseconds: Int64 = 10_000) throws(SystemError) {
        self.paths = paths
        var addresses: [UnixSocketAddress] = []
        for path in paths { addresses.append(try UnixSocketAddress(path, followsMoves: true)) }
        let pair = try UnixSocket.pair()
        let kept = [pair.write.rawValue] + addresses.compactMap(\.rawDescriptor)
        _ = try ForkedProcess.start(keeping: kept) { Self.serve(pair.write.rawValue, addresses) }
        let mine = pair.keepRead()
        // Now, since whoever is confined later may not.
        try mine.limitReceiving(milliseconds: milliseconds)
        // It is confined before it says so.
        let start = "start the process that connects to the network"
        do throws(SystemError) {
            guard try mine.read(upTo: 1).count == 1 else { throw SystemError(start, nil, .noChildProcess) }
        } catch { throw Self.isLate(error) ? SystemError(start, nil, .timedOut) : error }
        helper = Mutex(Helper(socket: mine))
    }

    private static func isLate(_ error: SystemError) -> Bool { error.errno == .resourceTemporarilyUnavailable }

    /// Connects to whatever listens at a path now.
    /// - Parameter index: Of the path among those that the connector was made for.
    /// - Throws: `ETIMEDOUT` if that takes too long. The next try goes on waiting for the same connection.
    public func connect(_ index: Int) throws(SystemError) -> OwnedDescriptor {
        let path = paths[index]
        return try helper.withLock { (helper) throws(SystemError) in
            do throws(SystemError) {
                if let owed = helper.owed, owed != index {
                    // Closed at once: nobody wants it any more.
                    _ = try? Self.answer(helper.socket, paths[owed])
                    helper.owed = nil
                }
                if helper.owed == nil { try helper.socket.writeAll([UInt8(index)]) }
                helper.owed = index
                let connection = try Self.answer(helper.socket, path)
                helper.owed = nil
                return connection
            } catch {
                guard Self.isLate(error) else {
                    helper.owed = nil
                    throw error
                }
                throw SystemError("connect to", path, .timedOut)
            }
        }
    }

    private static func answer(
        _ socket: borrowing OwnedDescriptor, _ path: FilePath
    ) throws(SystemError) -> OwnedDescriptor {
        let answer = try UnixSocket.receive(upTo: 1, descriptorLimit: 1, through: socket)
        guard let descriptor = answer.descriptors.first else {
            let reason = answer.bytes.first.map { Errno(rawValue: CInt($0)) } ?? .noChildProcess
            throw SystemError("connect to", path, reason)
        }
        return OwnedDescriptor(owning: descriptor)
    }

    /// The helper's whole life.
    private static func serve(_ raw: CInt, _ addresses: [UnixSocketAddress]) -> CInt {
        unsafe "connector".withCString { unsafe linux_set_thread_name($0) }
        let socket = OwnedDescriptor(owning: raw)
        do throws(SystemError) {
            _ = try ProcessConfinement(filter: SystemCallFilter(allowing: calls, socketFamilies: [AF_UNIX])).enter()
            try socket.writeAll([0])
            while let index = try socket.read(upTo: 1).first {
                guard addresses.indices.contains(Int(index)) else { return 1 }
                do throws(SystemError) {
                    let connection = try addresses[Int(index)].connect()
                    try UnixSocket.send([0], with: [connection.rawValue], through: socket)
                } catch { try socket.writeAll([UInt8(truncatingIfNeeded: error.errno.rawValue)]) }
            }
            return 0
        } catch { return 1 }
    }

    private static let calls = [
        SYS_read, SYS_write, SYS_close, SYS_socket, SYS_connect, SYS_sendmsg, SYS_poll, SYS_mmap, SYS_munmap,
        SYS_mremap,
        SYS_madvise, SYS_brk, SYS_futex, SYS_rt_sigreturn, SYS_restart_syscall, SYS_exit, SYS_exit_group,
    ].map { Int($0) }
}
