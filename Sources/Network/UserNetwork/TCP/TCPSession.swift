import LinuxSystem

/// One TCP connection with a guest (RFC 9293), without sockets, frames or clock of its own: segments go in by
/// ``receive(_:payload:at:)`` and come out of ``nextSegment(at:)``, which its owner calls as long as the link takes
/// them.
///
/// The path is a local socket that neither loses nor reorders, so there is no congestion window and no reassembly; loss
/// (a guest whose queue overflowed) is repaired by going back to the first unacknowledged byte.
final class TCPSession {
    enum State: Equatable {
        case connecting
        /// The guest has knocked, and has not answered the answer.
        case accepting
        case open
        /// Both sides have said everything, and know it of each other.
        case finished
        case failed(Failure)
    }
    enum Failure: Equatable {
        /// The guest answered that nobody listens.
        case refused
        /// The guest ended the connection at once.
        case reset
        case timedOut
    }

    /// In bytes, each way.
    static let bufferLimit = 1 << 20
    static let windowShift: UInt8 = 5
    /// In milliseconds (RFC 6298 asks for 1 s, which is for the Internet).
    static let minimumTimeout: Int64 = 200
    static let maximumTimeout: Int64 = 5_000
    /// How long the guest may leave data unacknowledged, in milliseconds: a paused machine keeps its connections.
    static let patience: Int64 = 15 * 60 * 1000

    let localPort: UInt16
    let remotePort: UInt16
    /// What may be held each way, in bytes; less where there are many connections.
    var bufferLimit = TCPSession.bufferLimit
    private(set) var state = State.connecting
    /// What is to reach the guest: everything from the first unacknowledged byte on.
    var sendQueue = ByteQueue()
    /// What came from the guest and was not taken yet.
    var receiveQueue = ByteQueue()
    /// Whether the guest has closed its direction; what is in ``receiveQueue`` is the rest.
    private(set) var remoteClosed = false

    private var localClosed = false
    private var closeAcknowledged = false
    private var resetPending = false
    /// The number that a guest's stray answer is to be reset with.
    private var strayReset: UInt32?
    private var unacknowledged: UInt32
    private var next: UInt32
    /// One past the highest sequence number that was ever sent.
    private var highest: UInt32
    /// Repeated acknowledgements up to here are caused by sending again, not by a loss (RFC 6582, section 3.2).
    private var recovery: UInt32
    private var sendWindow = 0
    private var largestWindow = 0
    private var sendShift: UInt8 = 0
    private var receiveShift = windowShift
    private var scales = true
    private var segmentSize: Int
    private let largestSegment: Int
    private var receiveNext: UInt32 = 0
    /// The sequence number up to which the guest may send, as far as it knows.
    private var advertisedEdge: UInt32 = 0
    private var acknowledgementPending = false
    private var duplicates = 0

    private var timer: MonotonicClock?
    private var synPending = true
    private var knocks: Pace
    private var probePending = false
    private var timeout: Int64 = 1000
    private var smoothed: Int64?
    private var variation: Int64 = 0
    private var timed: (sequence: UInt32, at: MonotonicClock)?
    private var progress: MonotonicClock

    /// - Parameters:
    ///   - mtu: The largest IP packet, in bytes.
    ///   - knocks: The pauses between two knocks while the guest does not answer.
    init(
        localPort: UInt16, remotePort: UInt16, initialSequence: UInt32, mtu: Int, knocks: Pace, now: MonotonicClock
    ) {
        self.localPort = localPort
        self.remotePort = remotePort
        unacknowledged = initialSequence
        next = initialSequence
        highest = initialSequence
        recovery = initialSequence
        largestSegment = mtu - 40
        segmentSize = Self.leastSegment
        self.knocks = knocks
        progress = now
    }

    /// What every host takes (RFC 9293, section 3.7.1), in bytes. A guest that asks for less makes more work for all
    /// than its data are worth (CVE-2019-11479), and no link of ours is so narrow.
    static let leastSegment = 536

    /// - Parameter wanted: What the guest says that it takes, in bytes; nil if it does not.
    private static func segmentSize(_ wanted: UInt16?, largest: Int) -> Int {
        min(max(Int(wanted ?? 0), leastSegment), largest)
    }

    /// A connection that the guest opens.
    /// - Parameter knock: Its first segment.
    init(accepting knock: TCPHeader, initialSequence: UInt32, mtu: Int, now: MonotonicClock) {
        localPort = knock.destination
        remotePort = knock.source
        unacknowledged = initialSequence
        next = initialSequence
        highest = initialSequence
        recovery = initialSequence
        largestSegment = mtu - 40
        segmentSize = Self.segmentSize(knock.maximumSegmentSize, largest: mtu - 40)
        knocks = Pace(first: .milliseconds(Self.minimumTimeout), growing: 2, most: .milliseconds(Self.maximumTimeout))
        progress = now
        state = .accepting
        receiveNext = knock.sequence &+ 1
        sendShift = knock.windowShift ?? 0
        // Scaling is for both directions or for none (RFC 7323, section 1.3).
        if knock.windowShift == nil { receiveShift = 0 }
        scales = knock.windowShift != nil
    }

    /// When ``timerExpired(at:)`` is to be called.
    var deadline: MonotonicClock? { timer }

    /// How many more bytes ``sendQueue`` should get.
    var sendRoom: Int { localClosed ? 0 : max(0, bufferLimit - sendQueue.count) }

    /// How many bytes to put into ``sendQueue`` at once: whole segments, so that none goes out nearly empty.
    var readSize: Int { max(1, Self.readLimit / segmentSize) * segmentSize }
    private static let readLimit = 128 << 10

    /// Whether everything that was put in has been acknowledged, the closing included.
    var isDrained: Bool { sendQueue.isEmpty && (!localClosed || closeAcknowledged) }

    /// No more bytes will be put into ``sendQueue``.
    func close() { localClosed = true }

    /// Ends the connection without ceremony; the guest is told by a segment that waits to be sent.
    func abort() {
        switch state {
        case .connecting, .accepting, .open: resetPending = true
        case .finished, .failed: break
        }
        state = .failed(.reset)
        timer = nil
    }

    private static func distance(_ later: UInt32, _ earlier: UInt32) -> Int { Int(Int32(bitPattern: later &- earlier)) }

    // MARK: Sending

    /// The next segment to send, with the place of its data in ``sendQueue``; nil when there is none at present.
    func nextSegment(at now: MonotonicClock) -> (header: TCPHeader, payload: Range<Int>)? {
        if resetPending {
            resetPending = false
            return (header([.rst, .ack], at: next), 0..<0)
        }
        if let sequence = strayReset {
            strayReset = nil
            return (header([.rst], at: sequence), 0..<0)
        }
        switch state {
        case .connecting:
            guard synPending else { return nil }
            if timed == nil, highest == unacknowledged { timed = (unacknowledged, now) } else { timed = nil }
            var header = firstSegment([.syn], at: now)
            header.acknowledgement = 0
            return (header, 0..<0)
        case .accepting: return synPending ? (firstSegment([.syn, .ack], at: now), 0..<0) : nil
        case .open: return nextOpenSegment(at: now)
        case .finished, .failed: return nil
        }
    }

    /// What a connection begins with, again after a while.
    private func firstSegment(_ flags: TCPHeader.Flags, at now: MonotonicClock) -> TCPHeader {
        synPending = false
        highest = unacknowledged &+ 1
        next = highest
        timer = now.advanced(byMilliseconds: knocks.nextMilliseconds())
        var header = header(flags, at: unacknowledged)
        // Not scaled in these (RFC 7323, section 2.2).
        header.window = 65535
        header.maximumSegmentSize = UInt16(clamping: largestSegment)
        header.windowShift = scales ? Self.windowShift : nil
        return header
    }

    /// Knocks now, and with short pauses again: the guest may hear by now.
    func knockAgain() {
        guard state == .connecting else { return }
        knocks.restart()
        synPending = true
    }

    private func nextOpenSegment(at now: MonotonicClock) -> (header: TCPHeader, payload: Range<Int>)? {
        let inFlight = Self.distance(next, unacknowledged)
        let unsent = sendQueue.count - inFlight
        let room = max(0, sendWindow - inFlight)
        let count = max(0, min(unsent, segmentSize, room))
        // A small piece of a large rest waits for a larger window, unless nothing else is under way (RFC 9293,
        // 3.8.6.2.1).
        let worthwhile = count == segmentSize || count == unsent || inFlight == 0 || count >= largestWindow / 2
        let closes = localClosed && !closeAcknowledged && unsent >= 0 && count == unsent
        if count > 0 && worthwhile || closes {
            var flags: TCPHeader.Flags = [.ack]
            if count > 0, count == unsent { flags.insert(.psh) }
            if closes { flags.insert(.fin) }
            let header = header(flags, at: next)
            // From here on the guest owes an answer; before, it had nothing to say.
            if next == unacknowledged, next == highest { progress = now }
            next = next &+ UInt32(count) &+ (closes ? 1 : 0)
            if Self.distance(next, highest) > 0 {
                highest = next
                if timed == nil { timed = (next, now) }
            }
            if timer == nil { timer = now.advanced(byMilliseconds: timeout) }
            return (header, inFlight..<inFlight + count)
        }
        if unsent > 0, inFlight == 0, timer == nil {
            // The window is closed: ask from time to time, lest the news of its opening was lost.
            timer = now.advanced(byMilliseconds: timeout)
        }
        if probePending {
            probePending = false
            return (header([.ack], at: unacknowledged &- 1), 0..<0)
        }
        return acknowledgementPending ? (header([.ack], at: next), 0..<0) : nil
    }

    /// A header that acknowledges what has arrived.
    private func header(_ flags: TCPHeader.Flags, at sequence: UInt32) -> TCPHeader {
        let window = receiveRoom >> Int(receiveShift)
        acknowledgementPending = false
        advertisedEdge = receiveNext &+ UInt32(window << Int(receiveShift))
        return TCPHeader(
            source: localPort, destination: remotePort, sequence: sequence, acknowledgement: receiveNext, flags: flags,
            window: UInt16(clamping: window))
    }

    /// How many more bytes the guest may send, as far as a window can tell it.
    private var receiveRoom: Int {
        min(max(0, bufferLimit - receiveQueue.count), Int(UInt16.max) << Int(receiveShift))
    }

    /// To be called after bytes were taken from ``receiveQueue``: tells the guest once there is much more room.
    func noteTaken() {
        let edge = receiveNext &+ UInt32(receiveRoom)
        let noteworthy = min(bufferLimit / 2, Int(UInt16.max) << Int(receiveShift) / 2, 2 * segmentSize)
        if !remoteClosed, Self.distance(edge, advertisedEdge) >= noteworthy {
            acknowledgementPending = true
        }
    }

    func timerExpired(at now: MonotonicClock) {
        guard let timer, timer <= now else { return }
        self.timer = nil
        switch state {
        case .connecting, .accepting: synPending = true
        case .open:
            timeout = min(timeout * 2, Self.maximumTimeout)
            if next != unacknowledged {
                if now.milliseconds(since: progress) > Self.patience { state = .failed(.timedOut) }
                goBack()
            } else {
                probePending = true
            }
        case .finished, .failed: break
        }
    }

    /// Sends everything again that is not acknowledged.
    private func goBack() {
        next = unacknowledged
        recovery = highest
        timed = nil
    }

    // MARK: Receiving

    /// Takes a segment from the guest.
    /// - Parameter payload: How many bytes of data it has.
    /// - Returns: Which of them are new; they belong into ``receiveQueue`` or to its reader.
    func receive(_ header: TCPHeader, payload count: Int, at now: MonotonicClock) -> Range<Int> {
        switch state {
        case .connecting:
            receiveAnswer(header, at: now)
            return 0..<0
        case .accepting:
            return receiveConfirmation(header, at: now) ? receiveOpen(header, payload: count, at: now) : 0..<0
        case .open: return receiveOpen(header, payload: count, at: now)
        case .finished, .failed: return 0..<0
        }
    }

    private func receiveAnswer(_ header: TCPHeader, at now: MonotonicClock) {
        guard header.flags.contains(.ack) else { return }
        guard header.acknowledgement == unacknowledged &+ 1 else {
            // An old connection of the same ports, which the guest still knows: ends it, so that the next knock is
            // heard (RFC 9293, section 3.10.7.3).
            if !header.flags.contains(.rst) { strayReset = header.acknowledgement }
            return
        }
        if header.flags.contains(.rst) {
            state = .failed(.refused)
            timer = nil
            return
        }
        guard header.flags.contains(.syn) else { return }
        receiveNext = header.sequence &+ 1
        unacknowledged = header.acknowledgement
        next = unacknowledged
        highest = next
        segmentSize = Self.segmentSize(header.maximumSegmentSize, largest: largestSegment)
        sendShift = header.windowShift ?? 0
        // Scaling is for both directions or for none (RFC 7323, section 1.3).
        if header.windowShift == nil { receiveShift = 0 }
        sendWindow = Int(header.window)
        largestWindow = sendWindow
        if let timed { measure(now.milliseconds(since: timed.at)) }
        timed = nil
        timer = nil
        progress = now
        state = .open
        acknowledgementPending = true
    }

    /// - Returns: Whether the connection is open now.
    private func receiveConfirmation(_ header: TCPHeader, at now: MonotonicClock) -> Bool {
        if header.flags.contains(.rst) {
            if header.sequence == receiveNext { state = .failed(.reset) }
            return false
        }
        guard header.flags.contains(.ack), !header.flags.contains(.syn),
            header.acknowledgement == unacknowledged &+ 1
        else {
            // It has not heard the answer.
            if header.flags.contains(.syn) { synPending = true }
            return false
        }
        unacknowledged = header.acknowledgement
        next = unacknowledged
        highest = next
        sendWindow = Int(header.window) << Int(sendShift)
        largestWindow = sendWindow
        timer = nil
        progress = now
        state = .open
        return true
    }

    private func receiveOpen(_ header: TCPHeader, payload count: Int, at now: MonotonicClock) -> Range<Int> {
        let ahead = Self.distance(header.sequence, receiveNext)
        if header.flags.contains(.rst) {
            // Only the exact number ends the connection (RFC 5961, section 3.2).
            if ahead == 0 {
                state = .failed(.reset)
                timer = nil
            } else {
                acknowledgementPending = true
            }
            return 0..<0
        }
        guard header.flags.contains(.ack), !header.flags.contains(.syn) else {
            acknowledgementPending = true
            return 0..<0
        }
        acknowledge(header, payload: count, at: now)
        defer { finishAfterLastAcknowledgement() }
        let skipped = ahead < 0 ? -ahead : 0
        guard ahead <= 0, count + (header.flags.contains(.fin) ? 1 : 0) > skipped || count == 0 && ahead == 0 else {
            // Old, or after a gap: say again what is expected.
            acknowledgementPending = true
            return 0..<0
        }
        // What was promised is taken, also when there is less room by now.
        let promised = max(0, Self.distance(advertisedEdge, receiveNext))
        let room = remoteClosed ? 0 : max(promised, bufferLimit - receiveQueue.count)
        let accepted = max(0, min(count - skipped, room))
        receiveNext = receiveNext &+ UInt32(accepted)
        if accepted > 0 || count > 0 { acknowledgementPending = true }
        if header.flags.contains(.fin), !remoteClosed, skipped + accepted == count {
            receiveNext = receiveNext &+ 1
            remoteClosed = true
            acknowledgementPending = true
        }
        return skipped..<skipped + accepted
    }

    private func acknowledge(_ header: TCPHeader, payload count: Int, at now: MonotonicClock) {
        let acknowledged = Self.distance(header.acknowledgement, unacknowledged)
        guard acknowledged >= 0, Self.distance(header.acknowledgement, highest) <= 0 else {
            if acknowledged > 0 { acknowledgementPending = true }
            return
        }
        let window = Int(header.window) << Int(sendShift)
        if acknowledged > 0 {
            if acknowledged > sendQueue.count, localClosed { closeAcknowledged = true }
            sendQueue.removeFirst(min(acknowledged, sendQueue.count))
            unacknowledged = header.acknowledgement
            if Self.distance(next, unacknowledged) < 0 { next = unacknowledged }
            if let timed, Self.distance(header.acknowledgement, timed.sequence) >= 0 {
                measure(now.milliseconds(since: timed.at))
                self.timed = nil
            }
            duplicates = 0
            progress = now
            timer = next == unacknowledged ? nil : now.advanced(byMilliseconds: timeout)
        } else if count == 0, window == sendWindow, next != unacknowledged,
            Self.distance(unacknowledged, recovery) > 0
        {
            duplicates += 1
            if duplicates == 3 { goBack() }
        }
        if window > 0, sendWindow == 0, next == unacknowledged { timer = nil }
        sendWindow = window
        largestWindow = max(largestWindow, window)
    }

    /// RFC 6298, section 2.
    private func measure(_ sample: Int64) {
        if let old = smoothed {
            variation = (3 * variation + abs(old - sample)) / 4
            smoothed = (7 * old + sample) / 8
        } else {
            smoothed = sample
            variation = sample / 2
        }
        timeout = min(max(Self.minimumTimeout, (smoothed ?? 0) + 4 * variation), Self.maximumTimeout)
    }

    /// Ends the connection once both closings are known on both sides.
    private func finishAfterLastAcknowledgement() {
        guard remoteClosed, closeAcknowledged else { return }
        timer = nil
        finishing = true
    }
    private var finishing = false

    /// To be called when ``nextSegment(at:)`` has nothing more.
    func settle() {
        if finishing, !acknowledgementPending, state == .open { state = .finished }
    }
}
