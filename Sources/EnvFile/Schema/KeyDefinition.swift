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
    /// A value as a Wanderfile would write it, on one line.
    var example: String

    init(
        _ name: String, _ type: ValueType, standard: String? = nil, note: String? = nil, _ summary: String,
        example: String
    ) {
        self.name = name
        self.type = type
        self.standard = standard
        self.standardNote = note
        self.summary = summary
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
    /// Keys that are planned but do nothing in this version: refused, with a message of their own.
    var later: [String] = []
    /// What other tools call a key, and what it is called here.
    var others: [String: String] = [:]
    /// Whether keys that start with `x-` are free.
    var hasExtensions = false

    private let index: [String: Int]

    init(
        _ title: String, keys: [KeyDefinition], required: [String] = [], exactlyOne: [String] = [],
        later: [String] = [], others: [String: String] = [:],
        hasExtensions: Bool = false
    ) {
        self.title = title
        self.keys = keys
        self.required = required
        self.exactlyOne = exactlyOne
        self.later = later
        self.others = others
        self.hasExtensions = hasExtensions
        index = Dictionary(keys.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    func key(_ name: String) -> KeyDefinition? { index[name].map { keys[$0] } }
}
