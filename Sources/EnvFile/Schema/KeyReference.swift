/// The reference of every key as values, made from the same table as the decoder.
public enum KeyReference {
    public struct Row: Hashable, Sendable {
        /// With dots, such as `machines.NAME.provision[].run`.
        public var path: String
        /// What the value may be.
        public var type: String
        /// Whether its map is refused without it.
        public var isRequired: Bool
        /// The value that counts without the key, as a Wanderfile would write it; nil: none.
        public var standard: String?
        /// What happens without the key, where no fixed value does.
        public var note: String?
        /// When a changed value takes effect; nil for what is not a machine's own key.
        public var takesEffect: TakesEffect?
        /// One sentence without a full stop.
        public var summary: String
        /// Further sentences; nil: the summary says everything.
        public var details: String?
        /// A value as a Wanderfile would write it.
        public var example: String

        /// The key alone, such as `run`.
        public var name: String { path.split(separator: ".").last.map(String.init) ?? path }
    }

    /// The keys of one map.
    public struct Section: Hashable, Sendable {
        /// Where the map is, such as `machines.NAME.ports[]`; empty for the whole file.
        public var path: String
        /// What the map describes, such as `a port`.
        public var title: String
        /// What a single value in place of the map means, as a sentence; nil: there is no such form.
        public var shortForm: String?
        /// Which keys exclude each other, as a sentence; nil: none do.
        public var choice: String?
        public var rows: [Row]
    }

    /// In the order of the table; keys of machines once, below `machines.NAME`.
    public static var rows: [Row] { topKeys.flatMap { rows(of: $0, in: .project, prefix: "") } }

    /// The file first, then each map in the order of its key; machines once, at `machines.NAME`.
    public static var sections: [Section] { sections(of: .project, keys: topKeys, path: "", shortForm: nil) }

    private static var topKeys: [KeyDefinition] {
        ObjectType.project.keys.filter { !ObjectType.singleFormNames.contains($0.name) }
    }

    private static func rows(of key: KeyDefinition, in object: ObjectType, prefix: String) -> [Row] {
        guard let map = map(in: key, prefix: prefix) else { return [row(of: key, in: object, prefix: prefix)] }
        return [row(of: key, in: object, prefix: prefix)]
            + map.object.keys.flatMap { rows(of: $0, in: map.object, prefix: map.path + ".") }
    }

    private static func sections(
        of object: ObjectType, keys: [KeyDefinition], path: String, shortForm: String?
    ) -> [Section] {
        let prefix = path.isEmpty ? "" : path + "."
        let section = Section(
            path: path, title: object.title, shortForm: shortForm, choice: object.choice,
            rows: keys.map { row(of: $0, in: object, prefix: prefix) })
        return [section]
            + keys.flatMap { key -> [Section] in
                guard let map = map(in: key, prefix: prefix) else { return [] }
                return sections(
                    of: map.object, keys: map.object.keys, path: map.path, shortForm: key.type.shortForm)
            }
    }

    private static func row(of key: KeyDefinition, in object: ObjectType, prefix: String) -> Row {
        Row(
            path: prefix + key.name, type: key.type.description, isRequired: object.required.contains(key.name),
            standard: key.standard, note: key.standardNote,
            takesEffect: object.title == ObjectType.machine.title ? MachineKey.effect(of: key.name) : nil,
            summary: key.summary, details: key.details, example: key.example)
    }

    /// The map with known keys that a key has in its value; `defaults` has the one of `machines`.
    private static func map(in key: KeyDefinition, prefix: String) -> (object: ObjectType, path: String)? {
        guard prefix + key.name != "defaults" else { return nil }
        return key.type.map.map { ($0.object, prefix + key.name + $0.suffix) }
    }
}

extension ObjectType {
    fileprivate var choice: String? {
        guard !exactlyOne.isEmpty else { return nil }
        let names = exactlyOne.map { "'\($0)'" }
        let list = names.dropLast().joined(separator: ", ") + " and \(names.last ?? "")"
        return "Takes exactly one of \(list)\(alone.map { ", or '\($0): true' alone" } ?? "")."
    }
}

extension ValueType {
    /// The map with known keys in the value, and what leads to it from the key.
    fileprivate var map: (object: ObjectType, suffix: String)? {
        switch self {
        case .scalar, .rows, .free: nil
        case .forms(let other, _): other.map
        case .list(let item, _, _): item.map.map { ($0.object, "[]" + $0.suffix) }
        case .map(_, let value, _): value.map.map { ($0.object, ".NAME" + $0.suffix) }
        case .object(let object, _), .either(_, let object): (object, "")
        }
    }

    fileprivate var shortForm: String? {
        switch self {
        case .list(let item, _, _): item.shortForm
        case .map(_, let value, let listForm):
            listForm ? "The short form is a list of names, each with the defaults." : value.shortForm
        case .object(_, let shorthand?): "The short form is the '\(shorthand)' alone."
        case .either(let scalar, _): "The short form is \(scalar.expected)."
        case .forms(let other, _): other.shortForm
        default: nil
        }
    }

    fileprivate var description: String {
        switch self {
        case .scalar(let scalar): scalar.expected + (scalar.bounds.map { ", \($0)" } ?? "")
        case .list(.scalar(let scalar), _, _): "a list, each item \(scalar.expected)"
        case .list: "a list"
        case .map(_, _, let listForm): listForm ? "a list of names, or a map" : "a map by name"
        case .object(_, let shorthand?): "a map, or a value for '\(shorthand)'"
        case .object: "a map"
        case .either(let scalar, _): "\(scalar.expected), or a map"
        case .forms(let other, let list): "\(other.description), or \(list.description)"
        case .rows: "a map of rows by name, a list of names, or a range such as 1-3"
        case .free: "any value"
        }
    }
}
