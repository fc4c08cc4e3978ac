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
    /// Whether calls of it make what the file is read for.
    var isWanted: Bool { get }
    /// Answers a call; nil: it does not know the name.
    func answer(_ call: RubyCall, in evaluator: RubyEvaluator) throws(RubyJump) -> RubyValue?
}

extension RubyObject {
    public var isWanted: Bool { false }
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
