import Glibc
import LinuxSystem
import NetworkAddress
import SystemPackage

/// Frames as datagrams, to a monitor that has bound its own socket: QEMU's `-netdev dgram`.
final class DatagramLink: FrameLink {
    /// What arrives comes through the ``DatagramPort``; this socket only sends.
    override var interest: Int16 { queued == 0 ? 0 : Int16(POLLOUT) }
    override func ready(_ events: Int16) { flush() }

    override func send(header: RawSpan, payload: UnsafeRawBufferPointer, from sender: FrameQueue.Sender) {
        let count = header.byteCount + payload.count
        guard count <= EthernetFrame.limit, !isFinished, !refuses(sender, at: .now) else {
            dropped += 1
            return
        }
        if queued == 0 {
            let result = unsafe header.withUnsafeBytes { header in
                var vectors = unsafe [
                    unsafe iovec(
                        iov_base: UnsafeMutableRawPointer(mutating: header.baseAddress), iov_len: header.count),
                    unsafe iovec(
                        iov_base: UnsafeMutableRawPointer(mutating: payload.baseAddress), iov_len: payload.count),
                ]
                return unsafe writev(descriptor.rawValue, &vectors, 2)
            }
            if result >= 0 { return noteProgress() }
            guard errno == EAGAIN || errno == EINTR || errno == ENOBUFS else { return fail(errno) }
        }
        unsafe output.append(header, payload, from: sender)
    }

    override func flush() {
        while queued > 0, !isFinished {
            let reason = unsafe output.withFirst { bytes in
                let frame = unsafe UnsafeRawBufferPointer(rebasing: bytes[FrameQueue.prefixCount...])
                return unsafe write(descriptor.rawValue, frame.baseAddress, frame.count) < 0 ? errno : 0
            }
            if let reason, reason != 0 {
                if reason == EAGAIN || reason == EINTR || reason == ENOBUFS { return }
                fail(reason)
                guard !isFinished else { return }
            }
            noteProgress()
            output.removeFirst()
        }
    }

    private func fail(_ reason: CInt) {
        // Too long for the socket's buffer: the frame is lost, the monitor is not.
        if reason == EMSGSIZE {
            dropped += 1
            return
        }
        output.removeAll()
        receiver.linkClosed(self, reason: "the monitor does not receive any more")
    }
}

/// The socket that a monitor sends its datagrams to. The link exists from the first one on, or from the start if the
/// monitor is there already, until the monitor's socket is gone.
final class DatagramPort: EventSource {
    /// How often to look whether the monitor is still there, or there by now, in milliseconds.
    static let interval: Int64 = 2_000
    private var descriptor: HeldDescriptor?
    /// What to remove at the end; nil for a socket that somebody else made.
    private var path: FilePath?
    private let scratch: Scratch
    private unowned let machine: Station
    private var link: DatagramLink?
    private var nextLook = MonotonicClock.now

    /// Where the monitor receives. A machine goes on running when its project is moved.
    private let peer: UnixSocketAddress

    /// - Parameter isOwn: Whether the socket in the file system goes with this.
    init(
        _ socket: consuming OwnedDescriptor, at path: FilePath, isOwn: Bool, machine: Station, scratch: Scratch
    ) throws(SystemError) {
        // Whoever handed it over may have it otherwise, and the loop never waits for one socket.
        try socket.setNonBlocking()
        self.path = isOwn ? path : nil
        peer = try UnixSocketAddress(FilePath(path.string + ".peer"), followsMoves: true)
        self.machine = machine
        self.scratch = scratch
        descriptor = HeldDescriptor(socket)
    }

    override var rawDescriptor: CInt { descriptor?.rawValue ?? -1 }
    override var interest: Int16 { link?.mayRead() ?? true ? Int16(POLLIN) : 0 }
    override var deadline: MonotonicClock? { nextLook }

    override func deadlinePassed(_ now: MonotonicClock) {
        nextLook = now.advanced(byMilliseconds: Self.interval)
        forgetFinishedLink()
        guard let socket = try? peer.connectDatagram() else {
            if let link { machine.linkClosed(link, reason: "the monitor has gone") }
            return forgetFinishedLink()
        }
        if link == nil { connect(socket) }
    }

    private func forgetFinishedLink() { if link?.isFinished ?? false { link = nil } }

    private func connect(_ socket: consuming OwnedDescriptor) {
        let link = DatagramLink(socket, receiver: machine)
        self.link = link
        machine.network.connect(machine, link)
    }

    override func ready(_ events: Int16) {
        machine.beginTurn()
        while let descriptor, interest != 0, !machine.turnIsOver {
            let count = unsafe recv(descriptor.rawValue, scratch.bytes.baseAddress, scratch.bytes.count, 0)
            guard count >= 0 else { return }
            forgetFinishedLink()
            if link == nil, let socket = try? peer.connectDatagram() { connect(socket) }
            guard let link else {
                machine.spend(1)
                continue
            }
            let frame = unsafe UnsafeRawBufferPointer(rebasing: scratch.bytes[..<count])
            machine.link(link, received: unsafe frame.bytes)
        }
    }

    override func finish() {
        super.finish()
        descriptor = nil
        if let path { try? FileSystem.remove(path) }
    }

    /// As ``finish()``; another socket has the path by now.
    func makeWay() {
        path = nil
        finish()
    }
}
