import Glibc
import LinuxSystem

/// Who gets the frames that a link brings.
protocol FrameReceiver: AnyObject {
    func link(_ link: FrameLink, received frame: RawSpan)
    /// Whether it has got what it may have in this round, so that a flood leaves time for others.
    var turnIsOver: Bool { get }
    func beginTurn()
    /// The monitor has gone, or broke the protocol.
    func linkClosed(_ link: FrameLink, reason: String)
}

/// The connection to one machine's monitor: frames in both directions.
///
/// Frames that the monitor does not take at once wait in a queue, which all senders share. A sender that has filled its
/// part pauses (back-pressure instead of loss), but not for ever: a guest that takes nothing at all loses its frames,
/// so that it cannot stop others.
class FrameLink: EventSource {
    /// What a monitor sends as one frame at most, in bytes: QEMU's own buffer. What is longer than
    /// `EthernetFrame.limit` goes no further than to the switch, which drops it.
    static let receiveLimit = 69_632
    /// In bytes, of all who have frames in the queue at the same time. Who has more than his part of it pauses.
    static let highWater = 512 << 10
    /// In bytes, likewise. The frames of who has more are lost.
    static let queueLimit = 2 << 20
    /// How long senders wait for a monitor that takes nothing, in milliseconds.
    static let patience: Int64 = 50

    let descriptor: OwnedDescriptor
    unowned let receiver: any FrameReceiver
    let output = FrameQueue()
    /// Frames lost because the monitor did not take them.
    var dropped: UInt64 = 0
    /// The congested link that this one has sent to, and as whom; until it has drained, nothing more is read here.
    private var pausedFor: (link: FrameLink, sender: FrameQueue.Sender)?
    private var lastProgress = MonotonicClock.now

    init(_ descriptor: consuming OwnedDescriptor, receiver: any FrameReceiver) {
        self.descriptor = descriptor
        self.receiver = receiver
    }

    /// In bytes.
    var queued: Int { output.count }
    func send(header: RawSpan, payload: UnsafeRawBufferPointer, from sender: FrameQueue.Sender) {}
    func flush() {}

    /// Whether a sender should wait.
    func isCongested(for sender: FrameQueue.Sender) -> Bool {
        output.count(of: sender) > Self.highWater / max(1, output.senders)
    }

    /// Whether a sender's frames for this link are lost rather than waited for.
    func refuses(_ sender: FrameQueue.Sender, at now: MonotonicClock) -> Bool {
        output.count(of: sender) > Self.queueLimit / max(1, output.senders)
            || isCongested(for: sender) && now.milliseconds(since: lastProgress) > Self.patience
    }

    /// Whether a sender has to wait, and it comes to something.
    func holdsBack(_ sender: FrameQueue.Sender, at now: MonotonicClock) -> Bool {
        isCongested(for: sender) && !refuses(sender, at: now)
    }

    func noteProgress() { lastProgress = .now }

    /// Stops reading until `other` has drained of what `sender` has sent.
    func pause(for other: FrameLink, as sender: FrameQueue.Sender) { pausedFor = (other, sender) }

    /// Whether something may be read. Ends the pause when its cause is over.
    func mayRead() -> Bool {
        guard let (other, sender) = pausedFor else { return true }
        if !other.isFinished, other.holdsBack(sender, at: .now) { return false }
        pausedFor = nil
        return true
    }

    override var rawDescriptor: CInt { descriptor.rawValue }
    override var interest: Int16 { (mayRead() ? Int16(POLLIN) : 0) | (queued > 0 ? Int16(POLLOUT) : 0) }
    /// Wakes the loop to look whether a pause is over.
    override var deadline: MonotonicClock? {
        pausedFor.map { $0.link.lastProgress.advanced(byMilliseconds: Self.patience + 1) }
    }
}
