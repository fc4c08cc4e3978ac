import YAML

/// What the value of a key may be.
indirect enum ValueType: Sendable {
    case scalar(ScalarType)
    /// - Parameter identity: Tells which items of two layers are the same; nil: a later list replaces an earlier one.
    case list(ValueType, identity: ListIdentity? = nil, limit: Int = 1000)
    /// Names that the user chooses, each with a value of one type.
    /// - Parameter listForm: Whether `[a, b]` stands for a map with these names and empty values.
    case map(MapNames, ValueType, listForm: Bool = false)
    /// - Parameter shorthand: The key that is meant when a single value stands in place of the map.
    case object(ObjectType, shorthand: String? = nil)
    /// A single value, or the long form.
    case either(ScalarType, ObjectType)
    /// One of two forms: a list, and whatever else.
    case forms(ValueType, list: ValueType)
    /// What machines are made from: a table by name, a list of names, or a range of numbers.
    case rows

    /// The form that a node has.
    func form(of node: Node) -> ValueType {
        guard case .forms(let other, let list) = self else { return self }
        return node.sequence == nil ? other : list
    }
    /// Any value, which another program gets as it is, with its variables filled in.
    case free
}

/// Which names a map takes.
struct MapNames: Sendable {
    /// Completes "must be ...".
    var expected: String
    var pattern: String
    var isValid: @Sendable (String) -> Bool

    static let names = MapNames(expected: ScalarType.name.expected, pattern: "^\(ScalarType.namePattern)$") {
        ScalarType.isName($0)
    }
    static let variables = MapNames(
        expected: "a name of letters, digits and '_', not with a digit first", pattern: "^[A-Za-z_][A-Za-z0-9_]*$"
    ) { ScalarType.isVariableName($0) }
    static let rows = MapNames(expected: ScalarType.rowKey.expected, pattern: "^\(ScalarType.rowKeyPattern)$") {
        ScalarType.isRowKey($0)
    }
    static let labels = MapNames(expected: "a name without spaces", pattern: "^[!-~]{1,128}$") { text in
        (1...128).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }
}

/// How items of a list are matched between layers.
enum ListIdentity: Sendable {
    /// By the value of a key, which a single value stands for.
    case key(String)
    /// By guest port and protocol.
    case port
    /// By the network's name, which may be left out.
    case network
    /// By the path in the machine.
    case share
}
