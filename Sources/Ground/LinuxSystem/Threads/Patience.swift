public import Reporting

/// How to wait for something that answers in its own time: until when, how often to ask, and how many tries may be
/// under way.
///
/// Asking costs whoever is asked. So the pauses between two tries grow, the number of tries at once has a limit, and a
/// try that may still come to something is not given up for a new one.
public struct Patience: Sendable {
    /// nil waits for ever.
    public var deadline: MonotonicClock?
    public var pace: Pace
    /// How many tries may be under way, where they do not follow each other by themselves.
    public var atOnce: Int
    /// Ends the wait by ``Interruption``.
    public var cancellation: Cancellation?

    /// - Parameters:
    ///   - first: The first pause.
    ///   - factor: By which each pause is longer than the one before.
    ///   - most: The longest pause; nil for `first`.
    public init(
        until deadline: MonotonicClock?, first: Duration, growing factor: Double = 1, most: Duration? = nil,
        atOnce: Int = 1,
        cancellation: Cancellation? = nil
    ) {
        self.deadline = deadline
        pace = Pace(first: first, growing: factor, most: most ?? first)
        self.atOnce = max(1, atOnce)
        self.cancellation = cancellation
    }

    /// What one try came to.
    public enum Answer<Value> {
        case here(Value)
        /// The reason is told if this was the last try.
        case notYet(because: String?)
    }

    /// Tries at once, and again after each pause, until a try has an answer. The last try comes just before the
    /// deadline.
    /// - Throws: ``TimeIsOver``, `Interruption`, or what `attempt` throws.
    public func wait<Value>(for what: String, _ attempt: () throws -> Answer<Value>) throws -> Value {
        let start = MonotonicClock.now
        var pace = pace
        while true {
            try cancellation?.check()
            // Before the try: time that it takes itself is not held against what it asks.
            let isLast = deadline.map { MonotonicClock.now >= $0 } ?? false
            switch try attempt() {
            case .here(let value): return value
            case .notYet(let reason):
                if isLast {
                    let waited = MonotonicClock.now.milliseconds(since: start)
                    throw TimeIsOver(what: what, milliseconds: waited, reason: reason)
                }
                let left = deadline.map { max(0, $0.milliseconds(since: .now)) } ?? .max
                MonotonicClock.sleep(milliseconds: min(pace.nextMilliseconds(), left), unless: cancellation)
            }
        }
    }
}

/// Pauses that grow. For waits that are driven by events and only ask when the next try is due.
public struct Pace: Sendable, Hashable {
    // All in milliseconds.
    private let first: Int64
    private let factor: Double
    private let most: Int64
    private var pause: Int64

    /// - Parameters:
    ///   - first: The first pause; at least a millisecond.
    ///   - factor: By which each pause is longer than the one before; at least 1.
    ///   - most: The longest pause.
    public init(first: Duration, growing factor: Double, most: Duration) {
        self.first = max(1, first.milliseconds)
        self.factor = max(1, factor)
        self.most = max(self.first, most.milliseconds)
        pause = self.first
    }

    /// The pause before the next try.
    public mutating func nextMilliseconds() -> Int64 {
        defer {
            let grown = (Double(pause) * factor).rounded(.up)
            pause = grown < Double(most) ? Int64(grown) : most
        }
        return pause
    }

    /// Something was reached: begins with the first pause again.
    public mutating func restart() { pause = first }
}

/// A wait whose time was over.
public struct TimeIsOver: UserFacingError, Equatable {
    /// What was waited for.
    public let what: String
    /// How long it was waited for.
    public let milliseconds: Int64
    /// What the last try came to.
    public let reason: String?

    public var summary: String {
        "waited \(milliseconds / 1000) s for \(what)" + (reason.map { ": \($0)" } ?? "")
    }
    public var kind: ErrorKind { .timeout }
}

extension MonotonicClock {
    /// Sleeps until the time is over or `cancellation` is requested.
    public static func sleep(milliseconds: Int64, unless cancellation: Cancellation?) {
        if let cancellation {
            _ = cancellation.wait(milliseconds: milliseconds)
        } else {
            sleep(milliseconds: milliseconds)
        }
    }
}
