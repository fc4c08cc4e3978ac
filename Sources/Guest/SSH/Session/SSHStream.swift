import CLibSSH2
import Glibc
import LinuxSystem

/// The connection under a session. It also keeps the bytes that were read ahead to look at the greeting, and the time
/// when the peer last sent anything, which libssh2 does not handle.
final class SSHStream {
    private let descriptor: OwnedDescriptor
    private var readAhead: ArraySlice<UInt8> = []
    private var queue: ArraySlice<UInt8> = []
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

    enum Chunk {
        case bytes([UInt8])
        case nothingYet, end, failed
    }

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

    /// Takes everything: what the connection does not take now waits in a queue.
    ///
    /// libssh2 must never see a packet sent in part. It then insists on sending the rest before anything else, but has
    /// other things to send by itself: room for more output, keep-alive messages.
    func send(_ buffer: UnsafeRawBufferPointer) -> Int {
        if isShutDown { return -Int(EPIPE) }
        if let error = flush() { return -Int(error) }
        var sent = 0
        if queue.isEmpty {
            sent = write(buffer)
            if sent < 0 { return sent }
        }
        queue += buffer.dropFirst(sent)
        return buffer.count
    }

    var queuedCount: Int { queue.count }

    /// Sends what waits, as far as the connection takes it.
    /// - Returns: The number of an error that ends the connection.
    @discardableResult
    func flush() -> CInt? {
        while !queue.isEmpty {
            let count = queue.withUnsafeBytes { write($0) }
            if count < 0 { return CInt(-count) }
            if count == 0 { return nil }
            queue.removeFirst(count)
        }
        // Lets go of what was sent: `removeFirst` on a slice keeps it.
        queue = []
        return nil
    }

    /// - Returns: A count, 0 if the connection takes nothing now, or a negative error number.
    private func write(_ buffer: UnsafeRawBufferPointer) -> Int {
        let flags = CInt(MSG_NOSIGNAL | MSG_DONTWAIT)
        while true {
            let count = Glibc.send(descriptor.rawValue, buffer.baseAddress, buffer.count, flags)
            if count >= 0 { return count }
            if errno == EAGAIN { return 0 }
            if errno != EINTR { return -Int(errno) }
        }
    }

    private typealias Abstract = UnsafeMutablePointer<UnsafeMutableRawPointer?>?

    /// Makes `session` do its input and output through this object, which must outlive it.
    func attach(to session: OpaquePointer) {
        libssh2_session_abstract(session)?.pointee = Unmanaged.passUnretained(self).toOpaque()
        let receive: @convention(c) (CInt, UnsafeMutableRawPointer?, Int, CInt, Abstract) -> Int = {
            _, buffer, count, _, abstract in
            guard let object = abstract?.pointee else { return -Int(EBADF) }
            let stream = Unmanaged<SSHStream>.fromOpaque(object).takeUnretainedValue()
            return stream.receive(UnsafeMutableRawBufferPointer(start: buffer, count: count))
        }
        let send: @convention(c) (CInt, UnsafeRawPointer?, Int, CInt, Abstract) -> Int = {
            _, buffer, count, _, abstract in
            guard let object = abstract?.pointee else { return -Int(EBADF) }
            let stream = Unmanaged<SSHStream>.fromOpaque(object).takeUnretainedValue()
            return stream.send(UnsafeRawBufferPointer(start: buffer, count: count))
        }
        wander_set_stream_callbacks(session, receive, send)
    }
}
