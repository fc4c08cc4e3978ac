/// The reference of every key as text, made from the same table as the decoder.
public enum KeyReference {
    public struct Row: Hashable, Sendable {
        /// With dots, such as `machines.NAME.provision[].run`.
        public var path: String
        /// What the value may be.
        public var type: String
        /// What counts without the key; nil: nothing.
        public var standard: String?
        public var summary: String
        /// A value as a Wanderfile would write it.
        public var example: String
    }

    /// In the order of the table; keys of machines once, below `machines.NAME`.
    public static var rows: [Row] {
        let top = ObjectType.project.keys.filter { !ObjectType.singleFormNames.contains($0.name) }
        return top.flatMap { rows(of: $0, prefix: "", withMachines: $0.name == "machines") }
    }

    private static func rows(of key: KeyDefinition, prefix: String, withMachines: Bool = true) -> [Row] {
        let path = prefix + key.name
        let row = Row(
            path: path, type: describe(key.type), standard: key.standard ?? key.standardNote, summary: key.summary,
            example: key.example)
        guard withMachines, let (inner, suffix) = object(in: key.type) else { return [row] }
        return [row] + inner.keys.flatMap { rows(of: $0, prefix: path + suffix + ".") }
    }

    private static func object(in type: ValueType) -> (ObjectType, suffix: String)? {
        switch type {
        case .scalar: nil
        case .list(let item, _, _): object(in: item).map { ($0.0, "[]" + $0.suffix) }
        case .map(_, let value, _): object(in: value).map { ($0.0, ".NAME" + $0.suffix) }
        case .object(let object, _), .either(_, let object): (object, "")
        }
    }

    private static func describe(_ type: ValueType) -> String {
        switch type {
        case .scalar(let scalar): scalar.expected
        case .list: "a list"
        case .map(_, _, let listForm): listForm ? "a list of names, or a map" : "a map by name"
        case .object(_, let shorthand?): "a map, or a value for '\(shorthand)'"
        case .object: "a map"
        case .either(let scalar, _): "\(scalar.expected), or a map"
        }
    }
}
