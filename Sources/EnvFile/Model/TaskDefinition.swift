import JSON

/// A command that people call by name: `wander run NAME`.
public struct TaskDefinition: Hashable, Sendable {
    public enum Script: Hashable, Sendable {
        case inline(String)
        /// A script of the host.
        case file(HostPath)
    }

    public var name: String
    public var script: Script
    public var summary: String?
    public var place: HookDefinition.Place
    /// nil: the primary one.
    public var machine: String?
    /// Who runs it in a guest.
    public var user: ProvisionerDefinition.User
    /// The folder that it starts in; nil: the user's home in a guest, the project's folder on the host.
    public var folder: String?
    public var environment: [String: String]

    var canonicalJSON: JSONValue {
        let action: (String, JSONValue?) =
            switch script {
            case .inline(let text): ("run", .string(text))
            case .file(let path): ("script", .string(path.text))
            }
        return .compactObject([
            action, ("description", summary.map(JSONValue.string)), ("in", .string(place.rawValue)),
            ("machine", machine.map(JSONValue.string)), ("as", place == .guest ? .some(.string(user.rawValue)) : .none),
            ("dir", folder.map(JSONValue.string)), ("env", .textObject(environment)),
        ])
    }
}

extension [TaskDefinition] {
    /// nil where there is none.
    var canonicalJSON: JSONValue? { isEmpty ? .none : .object(map { JSONMember($0.name, $0.canonicalJSON) }) }
}
