public import JSON

/// The requests to a running monitor: one line of JSON, answered by one line.
public enum MonitorRequest: String, Sendable, CaseIterable {
    /// The machine's state and how it is made.
    case state
    /// Presses the guest's power button: a graceful stop, if the guest listens.
    case powerButton = "power-button"
    /// Cuts the power.
    case stop
    /// Stops the processors until ``resume``.
    case pause
    case resume
    /// Presses the reset button.
    case reset
    /// Counts of exits, requests and bytes since the start. Also asks the guest for new numbers about its memory, which
    /// a later reply holds.
    case statistics
    /// After its reply the connection carries the serial port's bytes both ways.
    case console
    /// The same for the virtio console (`/dev/hvc0` in Linux), which is faster. What the guest printed last comes
    /// first.
    case terminal
    /// Tells the guest the size of the virtio console's terminal: `columns` and `rows`, in characters.
    case resizeTerminal = "resize-terminal"

    public var json: JSONValue { ["command": .string(rawValue)] }

    public init?(json: JSONValue) {
        guard let name = json["command"]?.stringValue else { return nil }
        self.init(rawValue: name)
    }
}

/// The state of a machine whose monitor answers.
public enum MonitorState: String, Sendable { case running, paused }
