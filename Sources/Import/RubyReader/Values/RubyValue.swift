/// A value of a Ruby file that is read, as far as it is known.
public enum RubyValue {
    case null
    case flag(Bool)
    case integer(Int64)
    case decimal(Double)
    /// May have variables of the environment in it: ``RubyPlaceholder``.
    case string(String)
    case symbol(String)
    case pattern(String, flags: String)
    case list(RubyList)
    case table(RubyTable)
    /// Whole numbers; the upper end counts.
    case range(Int64, Int64)
    /// A variable of the environment for which the file has no other value.
    case environment(String)
    case procedure(RubyProcedure)
    case object(any RubyObject)
    /// What is not known here.
    case unknown(RubyUnknown)
}

/// Why a value is not known.
public struct RubyUnknown: Hashable, Sendable {
    public var line: Int
    /// A clause, such as `'Socket.gethostname' is not known here`.
    public var reason: String
}

/// A list that several variables may share, as in Ruby.
public final class RubyList {
    public var items: [RubyValue]
    public init(_ items: [RubyValue]) { self.items = items }
}

/// A table in the order in which it was made. Several variables may share it.
public final class RubyTable {
    public private(set) var keys: [RubyValue] = []
    public private(set) var values: [RubyValue] = []
    private var indices: [Key: Int] = [:]
    /// What a missing key gives.
    var standard = RubyValue.null

    enum Key: Hashable {
        case text(String)
        case symbol(String)
        case number(Int64)
        case other(String)

        init(_ value: RubyValue) {
            switch value {
            case .string(let text): self = .text(text)
            case .symbol(let text): self = .symbol(text)
            case .integer(let number): self = .number(number)
            default: self = .other(value.inspected)
            }
        }
    }

    public init() {}

    public var count: Int { keys.count }
    var pairs: [(key: RubyValue, value: RubyValue)] { Array(zip(keys, values)).map { (key: $0.0, value: $0.1) } }

    public subscript(key: RubyValue) -> RubyValue? {
        get { indices[Key(key)].map { values[$0] } }
        set {
            let name = Key(key)
            if let index = indices[name] {
                if let newValue {
                    values[index] = newValue
                } else {
                    remove(at: index)
                }
            } else if let newValue {
                indices[name] = keys.count
                keys.append(key)
                values.append(newValue)
            }
        }
    }

    /// The value of a name, whether it is a text or a symbol.
    public func named(_ name: String) -> RubyValue? { self[.symbol(name)] ?? self[.string(name)] }

    private func remove(at index: Int) {
        keys.remove(at: index)
        values.remove(at: index)
        indices = Dictionary(keys.enumerated().map { (Key($1), $0) }, uniquingKeysWith: { $1 })
    }

    func copy() -> RubyTable {
        let table = RubyTable()
        for (key, value) in pairs { table[key] = value }
        table.standard = standard
        return table
    }
}

/// A block, a lambda or a function, with the variables around it.
public final class RubyProcedure {
    let function: RubyNode.Function
    let scope: RubyScope
    let isFunction: Bool
    let isLambda: Bool

    init(_ function: RubyNode.Function, in scope: RubyScope, isFunction: Bool = false, isLambda: Bool = false) {
        self.function = function
        self.scope = scope
        self.isFunction = isFunction
        self.isLambda = isLambda
    }
}

/// Variables, and those around them.
final class RubyScope {
    private var variables: [String: RubyValue] = [:]
    private let parent: RubyScope?
    /// The block of the call of the function that the scope is for.
    let block: RubyProcedure?

    init(in parent: RubyScope? = nil, block: RubyProcedure? = nil) {
        self.parent = parent
        self.block = block ?? parent?.block
    }

    func value(of name: String) -> RubyValue? { variables[name] ?? parent?.value(of: name) }
    func declare(_ name: String, _ value: RubyValue) { variables[name] = value }

    func assign(_ name: String, _ value: RubyValue) {
        var scope: RubyScope? = self
        while let current = scope {
            if current.variables[name] != nil {
                current.variables[name] = value
                return
            }
            scope = current.parent
        }
        variables[name] = value
    }
}

/// A call, with the values of its arguments.
public struct RubyCall {
    public var name: String
    public var arguments: [RubyValue] = []
    public var block: RubyProcedure?
    /// Counted from 1.
    public var line: Int

    public init(_ name: String, _ arguments: [RubyValue] = [], block: RubyProcedure? = nil, line: Int) {
        self.name = name
        self.arguments = arguments
        self.block = block
        self.line = line
    }

    /// The table at the end of the arguments: `key: value, ...`.
    public var options: RubyTable? { if case .table(let table)? = arguments.last { table } else { nil } }
    /// The arguments without it.
    public var positional: ArraySlice<RubyValue> { options == nil ? arguments[...] : arguments.dropLast() }
}

/// Something that answers calls and is not Ruby's own.
public protocol RubyObject: AnyObject {
    /// What it is, for messages.
    var title: String { get }
    /// Answers a call; nil: it does not know the name.
    func answer(_ call: RubyCall, in evaluator: RubyEvaluator) throws(RubyJump) -> RubyValue?
}

/// What ends an evaluation early. The evaluator keeps the value that goes along.
public enum RubyJump: Error {
    /// `break`, `next` and `return`.
    case leave
    case next
    case back
    /// A limit is reached: nothing more is evaluated.
    case limit
}
