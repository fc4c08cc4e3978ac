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
    /// Whether what is read depends on something that nobody needs here; see ``RubyHost/needless``.
    var isNeedless = false
    /// What was found out about statements that were lost: a loop comes by many times.
    var judged: [String: Bool] = [:]
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

    /// Not known because a file was not read: whatever is missing then may be what the machines are made of.
    func lost(_ reason: String, at line: Int) -> RubyValue {
        var unknown = RubyUnknown(line: line, reason: String(reason.prefix(200)))
        unknown.isOfFile = true
        return .unknown(unknown)
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
            guard case .unknown(let unknown) = result else { continue }
            switch statement.kind {
            case .call: tellLost(unknown, statement, in: scope)
            case .assign(_, let value): if isNeeded([value], in: scope) { tellLost(unknown, value, in: scope) }
            default: break
            }
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
            return try text(of: parts, in: scope, at: node.line)
        case .symbol(let parts):
            let value = try text(of: parts, in: scope, at: node.line)
            return value.symbolOrText.map { .symbol($0) } ?? value
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
}

/// `self` outside of everything.
private final class RubyMain: RubyObject {
    let title = "main"
    func answer(_ call: RubyCall, in evaluator: RubyEvaluator) throws(RubyJump) -> RubyValue? { nil }
}
