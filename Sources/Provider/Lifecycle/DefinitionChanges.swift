import EnvFile
public import JSON

/// What differs between the definition that a machine was started with and the one in the Wanderfile now.
public struct DefinitionChanges: Sendable, Hashable {
    /// Taken over by `reload`.
    public var needingRestart: [String] = []
    /// Taken over only by a new machine.
    public var needingDestroy: [String] = []
    /// Keys without effect on a running machine, or that the next command takes over.
    public var immediate: [String] = []

    /// - Parameter old: nil for a machine that was never started: nothing has changed.
    public init(from old: JSONValue?, to new: JSONValue) {
        guard let old else { return }
        let names = (old.objectValue ?? []).map(\.name) + (new.objectValue ?? []).map(\.name)
        var seen: Set<String> = []
        for name in names where seen.insert(name).inserted {
            let (before, after) = (Self.plain(old[name], of: name), Self.plain(new[name], of: name))
            guard before != after else { continue }
            let words = "\(name): \(Self.short(before)) -> \(Self.short(after))"
            // A record may have a key that is none any longer.
            switch MachineDefinition.takesEffect(name) ?? .atRestart {
            case .atUse: immediate.append(words)
            case .atRestart: needingRestart.append(words)
            case .withNewMachine: needingDestroy.append(words)
            }
        }
    }

    /// A list without items is as good as none, and shares are shown as a Wanderfile has them.
    private static func plain(_ value: JSONValue?, of name: String) -> JSONValue {
        guard let value, let items = value.arrayValue else { return value ?? .null }
        if items.isEmpty { return .null }
        if name == "ports", items.allSatisfy({ $0["guest"] != nil }) {
            return .string(items.map(port).joined(separator: ", "))
        }
        guard name == "shares" else { return value }
        let texts = items.map { share in
            let mode = share["mode"] == "ro" ? ":ro" : ""
            return "\(share["host"]?.stringValue ?? "?"):\(share["guest"]?.stringValue ?? "?")\(mode)"
        }
        return .string(texts.joined(separator: ", "))
    }

    private static func port(_ value: JSONValue) -> String {
        guard let guest = value["guest"]?.integerValue else { return value.compact }
        let bind = value["bind"]?.stringValue.flatMap { $0 == "127.0.0.1" ? nil : "\($0):" } ?? ""
        let host = value["host"]?.integerValue.map { "\($0)" } ?? "any"
        return "\(bind)\(host):\(guest)" + (value["proto"] == "udp" ? "/udp" : "")
    }

    private static func short(_ value: JSONValue) -> String {
        if value.isNull { return "none" }
        let text = value.stringValue ?? value.compact
        return text.count > 40 ? String(text.prefix(37)) + "..." : text
    }
}
