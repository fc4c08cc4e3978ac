/// How far a job is. Data only: how it looks is the terminal's business.
public struct Progress: Hashable, Sendable {
    public enum Unit: String, Sendable { case bytes, items, seconds }

    /// What is being done, such as `unpacking debian/12`; the same text means the same bar.
    public var label: String
    public var completed: UInt64
    /// Unknown for streams without a length.
    public var total: UInt64?
    public var unit: Unit
    /// What else is known, for people.
    public var detail: String?

    public init(
        _ label: String, completed: UInt64, total: UInt64? = nil, unit: Unit = .bytes, detail: String? = nil
    ) {
        self.label = label
        self.completed = completed
        self.total = total
        self.unit = unit
        self.detail = detail
    }
}

/// Something that happened and that a person (or a program that reads JSON lines) may want to follow.
public enum Event: Hashable, Sendable {
    /// A step has begun, for a machine or for the whole project.
    case step(String)
    /// A step's detail, such as a line of a provisioner's output.
    case output(String)
    case progress(Progress)
    case finished(label: String)
    case warning(String)
    case note(String)
}

/// Receives events from a job, in order. Called from the thread that does the job.
public protocol EventSink: Sendable {
    /// - Parameter subject: The machine that the event is about; nil for the project.
    func report(_ event: Event, about subject: String?)
    /// Whether anybody sees a warning. One that is given once must not be wasted on nobody.
    var showsWarnings: Bool { get }
}

extension EventSink {
    public var showsWarnings: Bool { true }
    public func report(_ event: Event) { report(event, about: nil) }
}

/// Drops every event.
public struct SilentSink: EventSink {
    public init() {}
    public func report(_ event: Event, about subject: String?) {}
    public var showsWarnings: Bool { false }
}
