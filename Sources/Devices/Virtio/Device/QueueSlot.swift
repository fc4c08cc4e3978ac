import Synchronization

/// The place of one queue in a device: empty until the driver is ready, emptied again by a reset.
///
/// The lock is held while the queue is served, so nothing is in flight once the slot has been emptied. Lock order: the
/// transport's registers, then this, then the vector table.
final class QueueSlot<State: ~Copyable>: Sendable {
    private struct Contents: ~Copyable {
        var queue: VirtQueue?
        var signal: QueueSignal?
        var state: State
    }
    private let contents: Mutex<Contents>

    init(_ state: consuming sending State) { contents = Mutex(Contents(queue: nil, signal: nil, state: state)) }

    func attach(_ queue: consuming VirtQueue, signal: QueueSignal) {
        var queue: VirtQueue? = queue
        contents.withLock { contents in
            contents.queue = queue.take()
            contents.signal = signal
        }
    }

    /// Changes the state beside the queue.
    func configure(_ body: (inout State) -> Void) { contents.withLock { body(&$0.state) } }

    /// Takes the queue away, after what is in flight, and lets `body` clean up.
    /// - Returns: The queue's position; nil if there was none, or an error stopped it.
    @discardableResult
    func detach(_ body: (inout State) -> Void = { _ in }) -> UInt16? {
        contents.withLock { contents in
            let position = contents.queue?.position
            contents.queue = nil
            contents.signal = nil
            body(&contents.state)
            return position
        }
    }

    /// Runs `body` on the queue if there is one; afterwards interrupts the driver if it wants that.
    ///
    /// An error stops the whole device: no queue of it is served before its reset.
    func serve(
        _ body: (inout VirtQueue, inout State, QueueSignal) throws(QueueError) -> ServiceOutcome
    ) -> ServiceOutcome {
        contents.withLock { contents in
            guard let signal = contents.signal, !signal.signals.isStopped, var queue = contents.queue.take() else {
                return .done
            }
            do throws(QueueError) {
                let outcome = try body(&queue, &contents.state, signal)
                signal.notify(of: &queue)
                contents.queue = consume queue
                return outcome
            } catch {
                signal.notify(of: &queue)
                signal.signals.stop(because: error)
                return .done
            }
        }
    }

    /// Serves requests in their order, one chain each.
    /// - Parameters:
    ///   - limit: At most so many, so that others of the thread get their turn.
    ///   - tellsEach: Whether the driver hears of each request once it is done, since each may take long; otherwise of
    ///     all at the end.
    ///   - request: Does what the chain asks; returns how many bytes it wrote to it.
    func serveRequests(
        limit: Int, tellsEach: Bool = false, _ request: (inout DescriptorChain) throws(QueueError) -> Int
    ) -> ServiceOutcome {
        serve { queue, _, signal throws(QueueError) in
            var left = limit
            repeat {
                while var chain = try queue.nextChain() {
                    let written = try request(&chain)
                    queue.complete(chain, written: written)
                    if tellsEach { signal.notify(of: &queue) }
                    left -= 1
                    if left == 0 { return .moreWork }
                }
            } while queue.enableNotifications()
            return .done
        }
    }
}
