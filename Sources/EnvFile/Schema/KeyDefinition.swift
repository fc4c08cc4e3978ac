import YAML

/// One key: the only place that says what it is called, what it takes, and what it is for. The decoder, the merging of
/// layers, the JSON Schema and the documentation are made from it.
struct KeyDefinition: Sendable {
    var name: String
    var type: ValueType
    /// What counts when no layer has the key, as a Wanderfile would write it.
    var standard: String?
    /// What happens without it, where no fixed value does.
    var standardNote: String?
    /// One sentence without a full stop.
    var summary: String
    /// Further sentences, each with its full stop.
    var details: String?
    /// A value as a Wanderfile would write it, on one line.
    var example: String

    init(
        _ name: String, _ type: ValueType, standard: String? = nil, note: String? = nil, _ summary: String,
        details: String? = nil, example: String
    ) {
        self.name = name
        self.type = type
        self.standard = standard
        self.standardNote = note
        self.summary = summary
        self.details = details
        self.example = example
    }
}

/// A map with known keys.
struct ObjectType: Sendable {
    /// Completes "unknown key 'x' in ...".
    var title: String
    var keys: [KeyDefinition]
    /// Keys that must be there.
    var required: [String] = []
    /// Exactly one of these must be there.
    var exactlyOne: [String] = []
    /// A flag that does instead of all of them.
    var alone: String?
    /// Keys that are planned but do nothing in this version: refused, with a message of their own.
    var later: [String] = []
    /// What other tools have, and what to write here instead.
    var foreign: [String: ForeignKey] = [:]
    /// What is a problem with a key's values in other tools, and value by value what to write here instead.
    var foreignValues: [String: (message: String, hints: [String: String])] = [:]
    /// The key that is most likely meant by a single value where this map is expected, for a hint.
    var likelyKey: String?
    /// The key that a single value of several lines stands for.
    var linesKey: String?
    /// Whether keys that start with `x-` are free.
    var hasExtensions = false

    private let index: [String: Int]

    init(
        _ title: String, keys: [KeyDefinition], required: [String] = [], exactlyOne: [String] = [],
        alone: String? = nil,
        later: [String] = [], foreign: [String: ForeignKey] = [:],
        foreignValues: [String: (message: String, hints: [String: String])] = [:],
        likelyKey: String? = nil, linesKey: String? = nil, hasExtensions: Bool = false
    ) {
        self.title = title
        self.keys = keys
        self.required = required
        self.exactlyOne = exactlyOne
        self.alone = alone
        self.later = later
        self.foreign = foreign
        self.foreignValues = foreignValues
        self.likelyKey = likelyKey
        self.linesKey = linesKey
        self.hasExtensions = hasExtensions
        index = Dictionary(keys.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    func key(_ name: String) -> KeyDefinition? { index[name].map { keys[$0] } }

    /// How a single value is written as this map.
    func hint(for node: Node) -> String? {
        guard let text = node.shortText else { return nil }
        if let line = VagrantKey(line: text, at: node.mark)?.wanderfileLine { return "Write '\(line)'." }
        if text == alone { return "Write '- \(text): true'." }
        return likelyKey.map { "Write '- \($0): \(text)'." }
    }
}
