/// Functions and constants that Ruby brings.
extension RubyEvaluator {
    func callFunction(_ call: RubyCall, in scope: RubyScope) throws(RubyJump) -> RubyValue {
        if let function = functions[call.name] { return try self.call(function, call.arguments, block: call.block) }
        let first = call.arguments.first ?? .null
        switch call.name {
        case "puts", "print", "p", "pp", "warn", "printf", "sleep", "srand", "private", "public", "protected",
            "module_function", "attr_accessor", "attr_reader", "include", "extend", "require", "trap", "at_exit",
            "private_class_method", "private_constant", "using", "gem", "lambda!":
            return .null
        case "require_relative", "load", "eval", "instance_eval", "autoload":
            return unknown("'\(call.name) \(first.text ?? "")' is not followed", at: call.line)
        case "raise", "abort", "exit", "exit!", "fail":
            // Most often a plugin or a version is missing, which nobody needs here.
            let reason = first.text.map { ": \(Self.firstLine($0))" } ?? ""
            tell(.skipped, "the file would end here\(reason)", at: call.line)
            return .null
        case "system", "exec", "spawn", "fork", "`", "open", "syscall":
            return unknown("'\(call.name)' would run on the host", at: call.line)
        case "format", "sprintf": return try formatted(call.arguments, at: call.line)
        case "lambda", "proc": return call.block.map { .procedure($0) } ?? .null
        case "loop":
            guard let block = call.block else { return .null }
            while true { _ = try self.call(block, []) }
        case "block_given?": return .flag(scope.block != nil)
        case "binding", "caller", "gets", "rand", "fail!":
            return unknown("'\(call.name)' is not known here", at: call.line)
        case "Integer", "Float":
            if case .string(let text) = first, RubyPlaceholder.isWhole(text) { return first }
            if let unknown = first.unknown { return .unknown(unknown) }
            return first.wholeNumber.map { .integer($0) } ?? unknown("this is not a number", at: call.line)
        case "String": return first.text.map { .string($0) } ?? unknown("this is not a text", at: call.line)
        case "Array": return try made(try items(of: first, at: call.line) ?? [first])
        case "catch": return try call.block.map { block throws(RubyJump) in try self.call(block, [first]) } ?? .null
        case "__method__": return .null
        default:
            return unknown("'\(call.name)' is not known here", at: call.line)
        }
    }

    static func firstLine(_ text: String) -> String {
        let plain = RubyPlaceholder.withoutVariables(text)
        let lines = plain.split(whereSeparator: \.isNewline).map { $0.drop(while: \.isWhitespace) }
        return String((lines.first { !$0.isEmpty } ?? "").prefix(100))
    }

    // MARK: - Constants

    func constant(_ name: String, in owner: RubyNode?, _ scope: RubyScope, at line: Int) throws(RubyJump) -> RubyValue {
        if let owner {
            let value = try evaluate(owner, in: scope)
            // `Module::NAME` of the file's own modules has the name alone.
            if case .object(let object) = value {
                if object is RubyModule, let found = constants[name] { return found }
                if let answer = try object.answer(RubyCall(name, line: line), in: self) { return answer }
            }
            if let unknown = value.unknown { return .unknown(unknown) }
            return unknown("'\(name)' is not known here", at: line)
        }
        if let value = constants[name] { return value }
        switch name {
        case "__FILE__", "PROGRAM_NAME": return .string("./Vagrantfile")
        case "__dir__": return .string(".")
        case "ENV": return .object(RubyEnvironment())
        case "ARGV": return .list(RubyList([]))
        case "RUBY_PLATFORM": return .string("x86_64-linux")
        case "RUBY_VERSION": return .string("3.1.2")
        case "File", "Dir", "FileTest", "Pathname", "IO": return .object(RubyFiles(title: name))
        case "YAML", "JSON", "Psych": return .object(RubyDocuments(title: name))
        case "RbConfig": return .object(RubyHostFacts())
        case "String", "Symbol", "Integer", "Numeric", "Float", "Array", "Hash", "NilClass", "TrueClass", "FalseClass",
            "Range", "Proc", "Enumerable", "Object", "Kernel", "Math", "Set", "Comparable":
            return .object(RubyClass(title: name))
        default:
            if let object = host.object(named: name) { return .object(object) }
            return unknown("'\(name)' is not known here", at: line)
        }
    }
}

/// `ENV`
private final class RubyEnvironment: RubyObject {
    let title = "ENV"

    func answer(_ call: RubyCall, in evaluator: RubyEvaluator) throws(RubyJump) -> RubyValue? {
        guard let name = call.arguments.first?.symbolOrText else {
            return call.name == "to_h" || call.name == "to_hash" ? .table(RubyTable()) : nil
        }
        // A name that a Wanderfile could not have is of no use.
        let isPlain =
            !name.isEmpty && name.utf8.count <= 64 && name.utf8.allSatisfy { RubyLexer.isWord($0) && $0 < 0x80 }
        switch call.name {
        case "[]":
            if let value = evaluator.environment[name] { return value }
            return isPlain ? .environment(name) : .null
        case "fetch":
            if let value = evaluator.environment[name] { return value }
            guard isPlain else { return .null }
            var standard = call.arguments.dropFirst().first
            if standard == nil, let block = call.block { standard = try evaluator.call(block, [.string(name)]) }
            switch standard {
            case .string(let text), .symbol(let text):
                return try evaluator.made(RubyPlaceholder.text(name, fallback: text))
            case .integer(let number): return try evaluator.made(RubyPlaceholder.text(name, fallback: "\(number)"))
            case nil, .null: return .environment(name)
            default:
                evaluator.tell(.undecided, "'\(name)' of the environment counts as not set", at: call.line)
                return standard
            }
        case "key?", "has_key?", "include?", "member?":
            if evaluator.environment[name] != nil { return .flag(true) }
            evaluator.tell(.undecided, "'\(name)' of the environment counts as not set", at: call.line)
            return .flag(false)
        case "[]=", "store":
            evaluator.environment[name] = call.arguments.last ?? .null
            return call.arguments.last ?? .null
        case "delete":
            evaluator.environment[name] = nil
            return .null
        default: return nil
        }
    }
}

/// What is known of the host without asking it: a Linux of 64 bits, as wander runs on.
private final class RubyHostFacts: RubyObject {
    let title = "RbConfig"

    func answer(_ call: RubyCall, in evaluator: RubyEvaluator) throws(RubyJump) -> RubyValue? {
        guard call.name == "CONFIG" else { return nil }
        let table = RubyTable()
        table[.string("host_os")] = .string("linux-gnu")
        table[.string("host_cpu")] = .string("x86_64")
        table[.string("target_cpu")] = .string("x86_64")
        return .table(table)
    }
}

/// Classes of Ruby, as far as something is made of them.
private final class RubyClass: RubyObject {
    let title: String
    init(title: String) { self.title = title }

    func answer(_ call: RubyCall, in evaluator: RubyEvaluator) throws(RubyJump) -> RubyValue? {
        let first = call.arguments.first
        switch (title, call.name) {
        case ("Hash", "new"):
            let table = RubyTable()
            if let first { table.standard = first }
            return .table(table)
        case ("Hash", "[]"):
            if case .table(let table)? = first { return .table(table.copy()) }
            return nil
        case ("Array", "new"):
            let count = first?.integer ?? 0
            guard (0...Int64(RubyLimits.items)).contains(count) else { throw .limit }
            var items: [RubyValue] = []
            for index in 0..<count {
                let value = try call.block.map { block throws(RubyJump) in try evaluator.call(block, [.integer(index)])
                }
                items.append(value ?? call.arguments.dropFirst().first ?? .null)
                try evaluator.count(1)
            }
            return .list(RubyList(items))
        case ("String", "new"): return first ?? .string("")
        case (_, "name"), (_, "to_s"): return .string(title)
        case (_, "==="):
            return try evaluator.respond(first ?? .null, RubyCall("is_a?", [.object(self)], line: call.line))
        case ("Kernel", _): return try evaluator.callFunction(call, in: RubyScope())
        default: return nil
        }
    }
}
