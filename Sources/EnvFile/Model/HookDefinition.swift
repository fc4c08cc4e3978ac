import JSON

/// Something to do before or after a command of wander's works.
public struct HookDefinition: Hashable, Sendable {
    public enum Verb: String, Hashable, Sendable, CaseIterable {
        case up, halt, reload, destroy, provision, suspend, resume
    }
    public enum Side: String, Hashable, Sendable, CaseIterable { case before, after }
    public enum Place: String, Hashable, Sendable, CaseIterable { case host, guest }
    public enum Failure: String, Hashable, Sendable, CaseIterable {
        /// Before the command's work it keeps that from being begun; after it the command fails.
        case fail
        case warn
    }

    public var side: Side
    public var verb: Verb
    /// For messages.
    public var name: String
    /// The text of a script for `sh -eu`, unless its first line names another interpreter.
    public var script: String
    public var place: Place
    /// Who runs it in a guest.
    public var user: ProvisionerDefinition.User
    public var environment: [String: String]
    /// nil: none.
    public var timeout: Duration?
    public var onError: Failure

    /// As a Wanderfile has it, such as `before_up`.
    public var event: String { "\(side.rawValue)_\(verb.rawValue)" }

    var canonicalJSON: JSONValue {
        [
            "name": .string(name), "run": .string(script), "in": .string(place.rawValue), "as": .string(user.rawValue),
            "env": .textObject(environment), "timeout": .string(timeout.map(DurationText.format) ?? "never"),
            "on_error": .string(onError.rawValue),
        ]
    }

    /// Every event, in order.
    static let events = Verb.allCases.flatMap { verb in
        Side.allCases.map { (side: $0, verb: verb, name: "\($0.rawValue)_\(verb.rawValue)") }
    }
}

extension [HookDefinition] {
    /// nil where there is none.
    var canonicalJSON: JSONValue? {
        guard !isEmpty else { return .none }
        return .object(
            HookDefinition.events.compactMap { event in
                let hooks = filter { $0.event == event.name }
                return hooks.isEmpty ? nil : JSONMember(event.name, .array(hooks.map(\.canonicalJSON)))
            })
    }
}
