/// Evaluates a Ruby file within bounds, as far as its values are known. It starts no program, and reads no file but
/// those that its host gives it.
public final class RubyEvaluator {
    public let host: any RubyHost
    public private(set) var remarks: [RubyRemark] = []
    var globals: [String: RubyValue] = [:]
    var constants: [String: RubyValue] = [:]
    var functions: [String: RubyProcedure] = [:]
    /// What the file has set: `ENV['X'] = 'y'`.
    var environment: [String: RubyValue] = [:]
    /// What `break`, `next` or `return` gives, on its way.
    var carried = RubyValue.null
    private var steps = 0
    private var textBytes = 0
    private var itemCount = 0
    private var depth = 0

    public init(host: any RubyHost) { self.host = host }

    /// Reads the file as far as the limits go.
    public func run(_ bytes: [UInt8]) {
        let (statements, mistakes) = RubyParser.parse(bytes)
        remarks += mistakes
        do throws(RubyJump) {
            _ = try evaluate(statements, in: RubyScope())
        } catch {
            if case .limit = error { tell(.limit, "the file takes too long to read; the rest was left out", at: 0) }
        }
    }

    // MARK: - Limits

    func step() throws(RubyJump) {
        steps += 1
        guard steps <= RubyLimits.steps else { throw .limit }
    }

    /// A text that was made.
    func made(_ text: String) throws(RubyJump) -> RubyValue {
        textBytes += text.utf8.count
        guard textBytes <= RubyLimits.textBytes else { throw .limit }
        return .string(text)
    }

    func made(_ items: [RubyValue]) throws(RubyJump) -> RubyValue {
        try count(items.count)
        return .list(RubyList(items))
    }

    func count(_ items: Int) throws(RubyJump) {
        itemCount += items
        guard itemCount <= RubyLimits.items else { throw .limit }
    }

    // MARK: - Remarks

    public func tell(_ kind: RubyRemark.Kind, _ text: String, at line: Int) {
        let remark = RubyRemark(line: line, kind: kind, text: text)
        guard remarks.count < RubyLimits.remarks, !remarks.contains(remark) else { return }
        remarks.append(remark)
    }

    func unknown(_ reason: String, at line: Int) -> RubyValue {
        .unknown(RubyUnknown(line: line, reason: String(reason.prefix(200))))
    }

    /// Whether a value counts as true. What is not known counts as false, and that is told.
    func isTrue(_ value: RubyValue, at line: Int) -> Bool {
        switch value {
        case .null: return false
        case .flag(let flag): return flag
        case .environment(let name):
            tell(.undecided, "'\(name)' of the environment counts as not set", at: line)
            return false
        case .unknown(let unknown):
            tell(.undecided, "the condition is taken as false: \(unknown.reason)", at: line)
            return false
        default: return true
        }
    }

    // MARK: - Statements

    func evaluate(_ statements: [RubyNode], in scope: RubyScope) throws(RubyJump) -> RubyValue {
        var result = RubyValue.null
        for statement in statements {
            result = try evaluate(statement, in: scope)
            guard case .unknown(let unknown) = result, case .call = statement.kind else { continue }
            tell(.skipped, unknown.reason, at: unknown.line)
        }
        return result
    }

    func evaluate(_ node: RubyNode, in scope: RubyScope) throws(RubyJump) -> RubyValue {
        try step()
        guard depth < RubyLimits.depth else { return unknown("calls are nested too deep here", at: node.line) }
        depth += 1
        defer { depth -= 1 }
        switch node.kind {
        case .null: return .null
        case .selfObject: return .object(RubyMain())
        case .flag(let flag): return .flag(flag)
        case .integer(let number): return .integer(number)
        case .decimal(let number): return .decimal(number)
        case .string(let parts):
            guard let text = try text(of: parts, in: scope) else {
                return unknown(try unknownReason(of: parts, in: scope), at: node.line)
            }
            return try made(text)
        case .symbol(let parts):
            return try text(of: parts, in: scope).map { .symbol($0) }
                ?? unknown("a name is not known here", at: node.line)
        case .pattern(let text, let flags): return .pattern(text, flags: flags)
        case .variable(let name): return variable(name, in: scope)
        case .unknown(let what): return unknown("\(what) is not run", at: node.line)
        case .array, .hash, .range, .splat, .blockPass, .lambda: return try collection(node, in: scope)
        case .constant(let name, let owner): return try constant(name, in: owner, scope, at: node.line)
        case .call(let call): return try evaluate(call, at: node.line, in: scope)
        case .assign, .change, .assignMany: return try assignment(node, in: scope)
        default: return try control(node, in: scope)
        }
    }

    private func variable(_ name: String, in scope: RubyScope) -> RubyValue {
        if name.hasPrefix("@") || name.hasPrefix("$") { return globals[name] ?? .null }
        return scope.value(of: name) ?? .null
    }

    // MARK: - Values

    /// nil: a part of it is not known.
    private func text(of parts: [RubyNode.Part], in scope: RubyScope) throws(RubyJump) -> String? {
        var result = ""
        for part in parts {
            switch part {
            case .text(let text): result += text
            case .code(let statements):
                guard let text = try evaluate(statements, in: scope).text else { return nil }
                // What grows without bound is stopped before it is long.
                guard case .string = try made(text) else { return nil }
                result += text
            }
        }
        return result
    }

    private func unknownReason(of parts: [RubyNode.Part], in scope: RubyScope) throws(RubyJump) -> String {
        for case .code(let statements) in parts {
            if let unknown = try evaluate(statements, in: scope).unknown { return unknown.reason }
        }
        return "a part of this text is not known here"
    }

    private func collection(_ node: RubyNode, in scope: RubyScope) throws(RubyJump) -> RubyValue {
        switch node.kind {
        case .array(let nodes):
            return try made(arguments(nodes, in: scope).values)
        case .hash(let pairs):
            let table = RubyTable()
            for pair in pairs {
                let value = try evaluate(pair.value, in: scope)
                if let key = pair.key {
                    try count(1)
                    table[try evaluate(key, in: scope)] = value
                } else if case .table(let other) = value {
                    try count(other.count)
                    for (key, value) in other.pairs { table[key] = value }
                }
            }
            return .table(table)
        case .range(let low, let high, let excludesEnd):
            return try range(low, high, excludesEnd, in: scope, at: node.line)
        case .lambda(let function): return .procedure(RubyProcedure(function, in: scope, isLambda: true))
        case .splat(let inner), .blockPass(let inner): return try evaluate(inner, in: scope)
        default: return .null
        }
    }

    private func range(
        _ low: RubyNode?, _ high: RubyNode?, _ excludesEnd: Bool, in scope: RubyScope, at line: Int
    ) throws(RubyJump) -> RubyValue {
        let first = try low.map { node throws(RubyJump) in try evaluate(node, in: scope) } ?? .integer(0)
        let last = try high.map { node throws(RubyJump) in try evaluate(node, in: scope) } ?? .integer(.max - 1)
        if case .string(let start) = first, case .string(let end) = last, let from = start.unicodeScalars.first?.value,
            let to = end.unicodeScalars.first?.value, start.count == 1, end.count == 1, from <= to, to < 0x80
        {
            let letters = (from...to).compactMap { Unicode.Scalar($0).map { String(Character($0)) } }
            return try made((excludesEnd ? letters.dropLast() : letters).map { .string($0) })
        }
        guard let start = number(first, at: line), let end = number(last, at: line) else {
            return unknown("the ends of this range are not known", at: line)
        }
        return .range(start, excludesEnd ? end &- 1 : end)
    }

    /// A whole number for arithmetic. A variable of the environment counts with its default, and that is told.
    func number(_ value: RubyValue, at line: Int) -> Int64? {
        switch value {
        case .integer(let number): return number
        case .decimal(let number): return Int64(exactly: number.rounded(.towardZero))
        case .string(let text) where RubyPlaceholder.isIn(text):
            let plain = RubyPlaceholder.withoutVariables(text)
            tell(.fixed, "'\(plain)' is taken, whatever the environment says later", at: line)
            return Int64(plain)
        default: return nil
        }
    }
}

/// What a file is read with.
public protocol RubyHost: AnyObject {
    /// What a constant is that Ruby itself does not have; nil: nobody knows it.
    func object(named name: String) -> (any RubyObject)?
    /// The last part of the folder's path.
    var folderName: String { get }
    /// What is in a file beside this one; nil: it may not be read, or is not there.
    func read(_ path: String) -> [UInt8]?
    /// Whether there is a file or a folder; nil: nobody may look there.
    func kind(of path: String) -> RubyFileKind?
    /// The names in a folder, sorted.
    func names(in path: String) -> [String]
    /// The value of a text in YAML; nil: it cannot be read.
    func yaml(_ text: [UInt8]) -> RubyValue?
}

public enum RubyFileKind: Sendable { case file, folder, nothing }

/// `self` outside of everything.
private final class RubyMain: RubyObject {
    let title = "main"
    func answer(_ call: RubyCall, in evaluator: RubyEvaluator) throws(RubyJump) -> RubyValue? { nil }
}
