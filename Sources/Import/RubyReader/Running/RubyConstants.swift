/// `ENV`
final class RubyEnvironment: RubyObject {
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
            case .integer(let number): return try evaluator.made(RubyPlaceholder.number(name, fallback: number))
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
final class RubyHostFacts: RubyObject {
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
final class RubyClass: RubyObject {
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
