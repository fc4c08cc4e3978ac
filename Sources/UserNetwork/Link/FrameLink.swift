import Glibc
import LinuxSystem

/// Who gets the frames that a link brings.
protocol FrameReceiver: AnyObject {
    func link(_ link: FrameLink, received frame: RawSpan)
    /// The monitor has gone, or broke the protocol.
    func linkClosed(_ link: FrameLink, reason: String)
}

/// The connection to one machine's monitor: frames in both directions.
///
/// Frames that the monitor does not take at once wait in a queue. A full queue pauses whoever fills it (back-pressure
/// instead of loss), but not for ever: a guest that takes nothing at all loses its frames, so that it cannot stop others.
class FrameLink: EventSource {
    /// What a monitor sends as one frame at most, in bytes: QEMU's own buffer. What is longer than `EthernetFrame.limit` goes
    /// no further than to the switch, which drops it.
    static let receiveLimit = 69_632
    /// In bytes. From here on, senders pause.
    static let highWater = 512 << 10
    /// In bytes. From here on, frames are lost.
    static let queueLimit = 2 << 20
    /// How long senders wait for a monitor that takes nothing, in milliseconds.
    static let patience: Int64 = 50

    let descriptor: OwnedDescriptor
    unowned let receiver: any FrameReceiver
    /// Frames lost because the monitor did not take them.
    var dropped: UInt64 = 0
    /// The congested link that this one has sent to; until it has drained, nothing more is read here.
    private var pausedFor: FrameLink?
    private var lastProgress = MonotonicClock.now

    init(_ descriptor: consuming OwnedDescriptor, receiver: any FrameReceiver) {
        self.descriptor = descriptor
        self.receiver = receiver
    }

    /// In bytes.
    var queued: Int { 0 }
    func send(header: RawSpan, payload: UnsafeRawBufferPointer) {}
    func flush() {}

    var isCongested: Bool { queued > Self.highWater }

    /// Whether frames for this link are lost rather than waited for.
    func refuses(_ now: MonotonicClock) -> Bool {
        queued > Self.queueLimit || isCongested && now.milliseconds(since: lastProgress) > Self.patience
    }

    func noteProgress() { lastProgress = .now }

    /// Stops reading until `other` has drained.
    func pause(for other: FrameLink) { pausedFor = other }

    /// Whether something may be read. Ends the pause when its cause is over.
    func mayRead() -> Bool {
        guard let other = pausedFor else { return true }
        if !other.isFinished, other.isCongested, !other.refuses(.now) { return false }
        pausedFor = nil
        return true
    }

    override var rawDescriptor: CInt { descriptor.rawValue }
    override var interest: Int16 { (mayRead() ? Int16(POLLIN) : 0) | (queued > 0 ? Int16(POLLOUT) : 0) }
    /// Wakes the loop to look whether a pause is over.
    override var deadline: MonotonicClock? {
        pausedFor.map { $0.lastProgress.advanced(byMilliseconds: Self.patience + 1) }
    }

    final func send(_ frame: [UInt8]) {
        unsafe send(header: frame.span.bytes, payload: UnsafeRawBufferPointer(start: nil, count: 0))
    }
}
