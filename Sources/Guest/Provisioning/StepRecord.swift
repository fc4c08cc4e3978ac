public import JSON

/// What is known about the last run of a step on a machine.
public struct StepRecord: Hashable, Sendable {
    public enum State: String, Hashable, Sendable {
        /// Written before the step: if it is still there later, the run was cut off.
        case running
        case succeeded
        case failed
    }

    public var name: String
    /// ``ProvisioningStep/definitionHash()`` at that time.
    public var hash: String
    public var state: State
    /// Seconds since 1970.
    public var started: Int64
    /// Seconds since 1970; nil while it runs.
    public var finished: Int64?
    /// The exit status of a script that has ended; 128 plus the signal's number for one that was killed.
    public var exitStatus: Int32?

    public init(
        name: String, hash: String, state: State, started: Int64, finished: Int64? = nil, exitStatus: Int32? = nil
    ) {
        self.name = name
        self.hash = hash
        self.state = state
        self.started = started
        self.finished = finished
        self.exitStatus = exitStatus
    }

    public var json: JSONValue {
        .object([
            JSONMember("name", .string(name)), JSONMember("hash", .string(hash)),
            JSONMember("state", .string(state.rawValue)), JSONMember("started", .integer(started)),
            JSONMember("finished", finished.map(JSONValue.integer) ?? .null),
            JSONMember("exit_status", exitStatus.map { .integer(Int64($0)) } ?? .null),
        ])
    }

    /// - Parameter path: How errors name the object.
    public init(_ json: JSONValue, path: String) throws(JSONError) {
        let reader = try JSONObjectReader(json, path: path)
        name = try reader.string("name")
        hash = try reader.string("hash")
        guard let state = State(rawValue: try reader.string("state")) else {
            throw .wrongType("\(path): state", expected: "'running', 'succeeded' or 'failed'")
        }
        self.state = state
        started = try reader.integer("started")
        finished = try reader.optionalInteger("finished")
        exitStatus = try reader.optionalInteger("exit_status").map { Int32(clamping: $0) }
    }
}
