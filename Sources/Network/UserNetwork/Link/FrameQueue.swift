/// Frames that wait for a monitor, in one line for each sender. A sender that floods a machine fills only its own line,
/// and everybody else's frames pass it. The lines are served by the bytes that each has sent (start-time fair queueing;
/// Goyal, Vin and Cheng, 1996).
final class FrameQueue {
    /// Who sends.
    struct Sender: Hashable {
        private let identity: ObjectIdentifier?
        /// The network itself, with all that comes from the outside and from the host.
        static let network = Sender(identity: nil)
        private init(identity: ObjectIdentifier?) { self.identity = identity }
        init(_ machine: Station) { identity = ObjectIdentifier(machine) }
    }

    /// Frames of one sender, each behind its length in four bytes, the highest first. None is empty for long.
    private final class Line {
        let sender: Sender
        var frames = ByteQueue()
        /// What is left of a frame that has begun, in bytes; it stands before the others.
        var rest = 0
        /// What it had sent when its first frame's turn came, in bytes of the queue's own time.
        var start: Int

        init(_ sender: Sender, start: Int) {
            self.sender = sender
            self.start = start
        }
    }
    static let prefixCount = 4

    private var lines: [Line] = []
    /// Where the line stood that was served last.
    private var time = 0
    /// In bytes.
    private(set) var count = 0

    /// How many have frames here.
    var senders: Int { lines.count }

    /// What one has here, in bytes.
    func count(of sender: Sender) -> Int { lines.first { $0.sender == sender }?.frames.count ?? 0 }

    func append(_ header: RawSpan, _ payload: UnsafeRawBufferPointer, from sender: Sender) {
        let line: Line
        if let present = lines.first(where: { $0.sender == sender }) {
            line = present
        } else {
            line = Line(sender, start: time)
            lines.append(line)
        }
        var prefix = UInt32(truncatingIfNeeded: header.byteCount + payload.count).bigEndian
        unsafe withUnsafeBytes(of: &prefix) { unsafe line.frames.append($0) }
        line.frames.append(header)
        unsafe line.frames.append(payload)
        count += Self.prefixCount + header.byteCount + payload.count
    }

    func removeAll() {
        lines = []
        count = 0
    }

    /// The line whose turn it is: one whose frame has begun; of two that have sent as much, the one that has waited
    /// longer.
    private var next: Line? { lines.first { $0.rest > 0 } ?? lines.min { $0.start < $1.start } }

    /// The length of a line's first frame with its prefix, or of its rest.
    private static func firstCount(_ line: Line) -> Int {
        line.rest > 0 ? line.rest : unsafe frameCount(line.frames.bytes)
    }

    private static func frameCount(_ bytes: UnsafeRawBufferPointer) -> Int {
        prefixCount + Int(UInt32(bigEndian: unsafe bytes.loadUnaligned(as: UInt32.self)))
    }

    /// Lets `body` see the frame whose turn it is, behind its length, or what is left of it; nil if there is none.
    func withFirst<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
        guard let next else { return nil }
        let count = Self.firstCount(next)
        return unsafe body(UnsafeRawBufferPointer(rebasing: next.frames.bytes[..<count]))
    }

    func removeFirst() {
        guard let next else { return }
        let count = Self.firstCount(next)
        next.rest = 0
        remove(count, of: next)
    }

    /// Lets `body` use up bytes of the queue's only line, of the last frame perhaps only a part.
    /// - Returns: What `body` does: how many bytes it has used.
    func useOnlyLine(_ body: (UnsafeRawBufferPointer) -> Int) -> Int {
        guard lines.count == 1, let line = lines.first else { return 0 }
        let bytes = unsafe line.frames.bytes
        let used = unsafe body(bytes)
        guard used > 0 else { return used }
        var end = line.rest
        while end < used { unsafe end += Self.frameCount(UnsafeRawBufferPointer(rebasing: bytes[end...])) }
        line.rest = end - used
        remove(used, of: line)
        return used
    }

    private func remove(_ bytes: Int, of line: Line) {
        time = line.start
        line.start += bytes
        line.frames.removeFirst(bytes)
        count -= bytes
        if line.frames.isEmpty { lines.removeAll { $0 === line } }
    }
}
