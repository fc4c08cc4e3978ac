/// What a machine is doing, as shown to people. Never cached.
public enum MachineState: String, Sendable, Hashable, CaseIterable {
    case notCreated = "not-created"
    /// A command that made or removed it was interrupted; `up` or `destroy` continues.
    case incomplete
    /// Its record cannot be read; `destroy` removes it all the same.
    case damaged
    case stopped
    /// Its process runs; SSH has not answered yet.
    case starting
    case running
    case paused

    /// For people.
    public var words: String {
        switch self {
        case .notCreated: "not created"
        default: rawValue
        }
    }
}

extension Machine {
    /// Looks and changes nothing.
    public func state() throws -> (state: MachineState, record: MachineRecord?) {
        guard let record = try project.store.load(name) else { return (try isLost() ? .damaged : .notCreated, nil) }
        guard try folder.isAlive() || record.process?.runs == true else {
            return (record.stage == .creating || record.stage == .destroying ? .incomplete : .stopped, record)
        }
        if (try? provider(record.provider).control(folder).isPaused) == true { return (.paused, record) }
        return (record.isReady ? .running : .starting, record)
    }
}
