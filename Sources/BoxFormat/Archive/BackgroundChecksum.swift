internal import Digest
internal import LinuxSystem
internal import Synchronization

/// Computes checksums on a thread of its own, so that hashing costs no time beside decompression and writing.
///
/// Memory is bounded: a producer that is ahead waits. There is one producer only.
final class BackgroundChecksum: @unchecked Sendable {
    // Unchecked: `state` guards what both threads touch; `current` and `currentCount` are the producer's alone.

    private enum Work {
        case bytes([UInt8], count: Int)
        case zeros(Int)
        /// The checksum of what came since the last end is complete.
        case end
        case stop
    }
    private struct State {
        var queue: [Work] = []
        var results: [[UInt8]] = []
        var isIdle = false
    }

    private static let pieceSize = 1 << 20
    private static let queueLimit = 4
    private static let zeros = [UInt8](repeating: 0, count: 1 << 16)

    private let state = Mutex(State())
    /// Signalled when there is work; when there is room or a result.
    private let filled: EventDescriptor
    private let drained: EventDescriptor
    private var thread: Thread?
    private var current = [UInt8](repeating: 0, count: BackgroundChecksum.pieceSize)
    private var currentCount = 0

    init(_ algorithm: ChecksumAlgorithm) throws(SystemError) {
        filled = try EventDescriptor(nonBlocking: false)
        drained = try EventDescriptor(nonBlocking: false)
        thread = try Thread(name: "checksum") { [unowned self] in run(algorithm) }
    }

    /// Ends the thread. The owner calls it once, on every path.
    func stop() {
        guard let running = thread.take() else { return }
        state.withLock { $0.queue = [.stop] }
        filled.signal()
        running.join()
    }

    func update(_ bytes: UnsafeRawBufferPointer) {
        var rest = unsafe bytes
        while unsafe !rest.isEmpty {
            let count = min(rest.count, Self.pieceSize - currentCount)
            unsafe current.withUnsafeMutableBytes { target in
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[currentCount...]).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
            }
            currentCount += count
            unsafe rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            if currentCount == Self.pieceSize { flush() }
        }
    }

    /// Counts `count` zero bytes, such as a hole in a file.
    func updateZeros(_ count: UInt64) {
        flush()
        var rest = count
        while rest > 0 {
            let piece = min(rest, 16 << 20)
            push(.zeros(Int(piece)))
            rest -= piece
        }
    }

    /// Ends one checksum and begins the next. The result comes by ``results()``, in order.
    func end() {
        flush()
        push(.end)
    }

    /// Waits until everything is done.
    /// - Returns: A result for each ``end()`` so far.
    func results() -> [[UInt8]] {
        while true {
            let done = state.withLock { $0.queue.isEmpty && $0.isIdle ? $0.results : nil }
            if let done { return done }
            drained.take()
        }
    }

    private func flush() {
        guard currentCount > 0 else { return }
        push(.bytes(current, count: currentCount))
        // The queue shares the old buffer; writing into it would copy it, so a new one takes its place.
        current = unsafe [UInt8](unsafeUninitializedCapacity: Self.pieceSize) { _, count in count = Self.pieceSize }
        currentCount = 0
    }

    private func push(_ work: Work) {
        while true {
            let pushed = state.withLock { state in
                guard state.queue.count < Self.queueLimit else { return false }
                state.queue.append(work)
                state.isIdle = false
                return true
            }
            if pushed { break }
            drained.take()
        }
        filled.signal()
    }

    private func run(_ algorithm: ChecksumAlgorithm) {
        var checksum = Checksum(algorithm)
        while true {
            let work = state.withLock { state -> Work? in
                if state.queue.isEmpty {
                    state.isIdle = true
                    return nil
                }
                return state.queue.removeFirst()
            }
            drained.signal()
            switch work {
            case nil: filled.take()
            case .bytes(let bytes, let count):
                unsafe bytes.withUnsafeBytes { unsafe checksum.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            case .zeros(var count):
                while count > 0 {
                    let piece = min(count, Self.zeros.count)
                    unsafe Self.zeros.withUnsafeBytes {
                        unsafe checksum.update(UnsafeRawBufferPointer(rebasing: $0[..<piece]))
                    }
                    count -= piece
                }
            case .end:
                let result = checksum.finish()
                checksum = Checksum(algorithm)
                state.withLock { $0.results.append(result) }
            case .stop: return
            }
        }
    }
}
