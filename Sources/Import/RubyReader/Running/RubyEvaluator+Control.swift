/// Conditions, and what else is not a value.
extension RubyEvaluator {
    func control(_ node: RubyNode, in scope: RubyScope) throws(RubyJump) -> RubyValue {
        switch node.kind {
        case .and(let left, let right):
            let first = try evaluate(left, in: scope)
            guard isTrue(first, at: node.line) else { return first }
            return try needlessly(mentionsNeedless(left)) { () throws(RubyJump) in try evaluate(right, in: scope) }
        case .or(let left, let right): return try either(left, right, in: scope, at: node.line)
        case .not(let inner): return .flag(!isTrue(try evaluate(inner, in: scope), at: node.line))
        case .choice(let condition, let first, let second):
            let isTrue = isTrue(try evaluate(condition, in: scope), at: node.line)
            return try needlessly(mentionsNeedless(condition)) { () throws(RubyJump) in
                try evaluate(isTrue ? first : second, in: scope)
            }
        case .loop(let condition, let isUntil, let body):
            return try loop(condition, isUntil, body, in: scope, at: node.line)
        case .forEach(let targets, let list, let body):
            return try forEach(targets, in: list, body, scope, at: node.line)
        case .select(let subject, let branches, let otherwise):
            return try select(subject, branches, otherwise, in: scope, at: node.line)
        case .function(let name, let function, _):
            functions[name] = RubyProcedure(function, in: RubyScope(), isFunction: true)
            return .symbol(name)
        case .module(let name, let body):
            constants[name] = .object(RubyModule(name))
            return try evaluate(body, in: RubyScope())
        case .group(let body): return try evaluate(body, in: scope)
        case .jump(let jump, let value):
            let value = try value.map { node throws(RubyJump) in try evaluate(node, in: scope) } ?? .null
            carried = value
            switch jump {
            case .leave: throw .leave
            case .next: throw .next
            case .back: throw .back
            }
        case .yield(let nodes):
            guard let block = scope.block else { return unknown("'yield' has no block here", at: node.line) }
            return try call(block, try arguments(nodes, in: scope).values)
        case .isDefined(let inner):
            let value = try evaluate(inner, in: scope)
            if case .unknown = value { return .null }
            if value.isNull, case .call = inner.kind { return .null }
            return value.isNull ? .null : .string("expression")
        default: return unknown("this is not understood", at: node.line)
        }
    }

    /// `a || b`. A variable of the environment keeps its name, with `b` as its default.
    private func either(
        _ left: RubyNode, _ right: RubyNode, in scope: RubyScope, at line: Int
    ) throws(RubyJump) -> RubyValue {
        let first = try evaluate(left, in: scope)
        return try either(first, at: line) { () throws(RubyJump) in
            try needlessly(mentionsNeedless(left)) { () throws(RubyJump) in try evaluate(right, in: scope) }
        }
    }

    func either(
        _ first: RubyValue, at line: Int, _ other: () throws(RubyJump) -> RubyValue
    ) throws(RubyJump) -> RubyValue {
        guard case .environment(let name) = first else {
            return isTrue(first, at: line) ? first : try other()
        }
        let second = try other()
        switch second {
        case .string(let text), .symbol(let text): return try made(RubyPlaceholder.text(name, fallback: text))
        case .integer(let number): return try made(RubyPlaceholder.number(name, fallback: number))
        case .null: return first
        default:
            tell(.undecided, "'\(name)' of the environment counts as not set", at: line)
            return second
        }
    }

    private func select(
        _ subject: RubyNode?, _ branches: [RubyNode.When], _ otherwise: [RubyNode], in scope: RubyScope, at line: Int
    ) throws(RubyJump) -> RubyValue {
        var value = try subject.map { node throws(RubyJump) in try evaluate(node, in: scope) }
        value = value.map { settled($0, at: line) }
        if let unknown = value?.unknown {
            tell(.undecided, "no branch is taken: \(unknown.reason)", at: line)
            return try evaluate(otherwise, in: scope)
        }
        for branch in branches {
            for candidate in branch.values {
                let other = settled(try evaluate(candidate, in: scope), at: candidate.line)
                let isMatch: Bool
                if let value {
                    isMatch = try matches(value, other, at: candidate.line)
                } else {
                    isMatch = isTrue(other, at: candidate.line)
                }
                if isMatch { return try evaluate(branch.body, in: scope) }
            }
        }
        return try evaluate(otherwise, in: scope)
    }

    /// `===`
    private func matches(_ value: RubyValue, _ candidate: RubyValue, at line: Int) throws(RubyJump) -> Bool {
        switch candidate {
        case .range(let low, let high):
            return number(value, at: line).map { low <= $0 && $0 <= high } ?? false
        case .pattern:
            return isTrue(try respond(candidate, RubyCall("=~", [value], line: line)), at: line)
        case .list(let list):
            return list.items.contains { value.equals($0) }
        default: return value.equals(candidate)
        }
    }
}
