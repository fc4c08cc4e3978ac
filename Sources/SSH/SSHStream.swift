import CLibSSH2
import Glibc
import LinuxSystem

/// The connection under a session, with what libssh2 must not see for itself: bytes that were read ahead to look at the
/// greeting, and when the peer last said anything.
final class SSHStream {
    private let descriptor: OwnedDescriptor
    private var readAhead: ArraySlice<UInt8> = []
    private(set) var lastReceived = MonotonicClock.now
    private(set) var isShutDown = false
    /// The peer has closed its side.
    private(set) var sawEnd = false

    init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

    var rawDescriptor: CInt { descriptor.rawValue }

    func pushBack(_ bytes: ArraySlice<UInt8>) { readAhead = bytes + readAhead }

    /// From here on nothing blocks: reads end and writes fail.
    func shutDown() {
        isShutDown = true
        _ = shutdown(descriptor.rawValue, CInt(SHUT_RDWR))
    }

    /// - Returns: A count, 0 at the end, or a negative error number.
    func receive(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        if isShutDown { return 0 }
        if !readAhead.isEmpty {
            let count = min(buffer.count, readAhead.count)
            buffer.copyBytes(from: readAhead.prefix(count))
            readAhead.removeFirst(count)
            return count
        }
        let count = recv(descriptor.rawValue, buffer.baseAddress, buffer.count, CInt(MSG_NOSIGNAL | MSG_DONTWAIT))
        guard count >= 0 else { return -Int(errno) }
        if count == 0, buffer.count > 0 { sawEnd = true }
        lastReceived = .now
        return count
    }

    enum Chunk { case bytes([UInt8]), nothingYet, end, failed }

    /// Reads what is there, at most 1 KiB.
    func receiveChunk() -> Chunk {
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = bytes.withUnsafeMutableBytes { receive($0) }
        switch count {
        case 1...: return .bytes(Array(bytes.prefix(count)))
        case 0: return .end
        case -Int(EAGAIN), -Int(EINTR): return .nothingYet
        default: return .failed
        }
    }

    func send(_ buffer: UnsafeRawBufferPointer) -> Int {
        if isShutDown { return -Int(EPIPE) }
        let count = Glibc.send(
            descriptor.rawValue, buffer.baseAddress, buffer.count, CInt(MSG_NOSIGNAL | MSG_DONTWAIT))
        return count < 0 ? -Int(errno) : count
    }

    typealias ReceiveCallback =
        @convention(c) (
            CInt, UnsafeMutableRawPointer?, Int, CInt, UnsafeMutablePointer<UnsafeMutableRawPointer?>?
        ) -> Int
    typealias SendCallback =
        @convention(c) (
            CInt, UnsafeRawPointer?, Int, CInt, UnsafeMutablePointer<UnsafeMutableRawPointer?>?
        ) -> Int

    /// Makes `session` do its input and output through this object, which must outlive it.
    func attach(to session: OpaquePointer) {
        libssh2_session_abstract(session)?.pointee = Unmanaged.passUnretained(self).toOpaque()
        let receive: ReceiveCallback = { _, buffer, count, _, abstract in
            guard let object = abstract?.pointee else { return -Int(EBADF) }
            let stream = Unmanaged<SSHStream>.fromOpaque(object).takeUnretainedValue()
            return stream.receive(UnsafeMutableRawBufferPointer(start: buffer, count: count))
        }
        let send: SendCallback = { _, buffer, count, _, abstract in
            guard let object = abstract?.pointee else { return -Int(EBADF) }
            let stream = Unmanaged<SSHStream>.fromOpaque(object).takeUnretainedValue()
            return stream.send(UnsafeRawBufferPointer(start: buffer, count: count))
        }
        libssh2_session_callback_set(
            session, LIBSSH2_CALLBACK_RECV, unsafeBitCast(receive, to: UnsafeMutableRawPointer.self))
        libssh2_session_callback_set(
            session, LIBSSH2_CALLBACK_SEND, unsafeBitCast(send, to: UnsafeMutableRawPointer.self))
    }
}
