/// Functions and constants that Ruby brings.
extension RubyEvaluator {
    func callFunction(_ call: RubyCall, in scope: RubyScope) throws(RubyJump) -> RubyValue {
        if let function = functions[call.name] { return try self.call(function, call.arguments, block: call.block) }
        let first = call.arguments.first ?? .null
        switch call.name {
        case "puts", "print", "p", "pp", "warn", "printf", "sleep", "srand", "private", "public", "protected",
            "module_function", "attr_accessor", "attr_reader", "include", "extend", "trap", "at_exit",
            "private_class_method", "private_constant", "using", "gem", "lambda!":
            return .null
        case "require":
            // A library has a name; what has a path is a file of this project.
            guard let path = first.symbolOrText else { return first.isNull ? .null : unfollowed(call) }
            let isFile = [path, path + ".rb"].contains { $0.hasSuffix(".rb") && host.kind(of: $0) == .file }
            return isFile || path.hasPrefix(".") || path.hasPrefix("/") ? unfollowed(call) : .null
        case "require_relative", "load", "eval", "instance_eval", "autoload": return unfollowed(call)
        case "raise", "abort", "exit", "exit!", "fail":
            let reason = call.arguments.compactMap(\.symbolOrText).first.map { ": \(Self.firstLine($0))" } ?? ""
            tell(isNeedless ? .skipped : .ended, "the file would end here\(reason)", at: call.line)
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
            if case .string(let text) = first, let number = RubyPlaceholder.converted(text, toNumber: true) {
                return call.name == "Integer" ? .string(number) : first
            }
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

    private func unfollowed(_ call: RubyCall) -> RubyValue {
        let name = Self.firstLine(call.arguments.first?.text ?? "")
        return lost("'\(call.name)\(name.isEmpty ? "" : " \(name)")' is not followed", at: call.line)
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
