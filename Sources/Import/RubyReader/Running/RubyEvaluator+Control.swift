/// Conditions, loops, functions and assignments.
extension RubyEvaluator {
    func control(_ node: RubyNode, in scope: RubyScope) throws(RubyJump) -> RubyValue {
        switch node.kind {
        case .and(let left, let right):
            let first = try evaluate(left, in: scope)
            return isTrue(first, at: node.line) ? try evaluate(right, in: scope) : first
        case .or(let left, let right): return try either(left, right, in: scope, at: node.line)
        case .not(let inner): return .flag(!isTrue(try evaluate(inner, in: scope), at: node.line))
        case .choice(let condition, let first, let second):
            let isTrue = isTrue(try evaluate(condition, in: scope), at: node.line)
            return try evaluate(isTrue ? first : second, in: scope)
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
        return try either(first, at: line) { () throws(RubyJump) in try evaluate(right, in: scope) }
    }

    private func either(
        _ first: RubyValue, at line: Int, _ other: () throws(RubyJump) -> RubyValue
    ) throws(RubyJump) -> RubyValue {
        guard case .environment(let name) = first else {
            return isTrue(first, at: line) ? first : try other()
        }
        let second = try other()
        switch second {
        case .string(let text), .symbol(let text): return try made(RubyPlaceholder.text(name, fallback: text))
        case .integer(let number): return try made(RubyPlaceholder.text(name, fallback: "\(number)"))
        case .null: return first
        default:
            tell(.undecided, "'\(name)' of the environment counts as not set", at: line)
            return second
        }
    }

    private func loop(
        _ condition: RubyNode, _ isUntil: Bool, _ body: [RubyNode], in scope: RubyScope, at line: Int
    ) throws(RubyJump) -> RubyValue {
        while try isTrue(evaluate(condition, in: scope), at: line) != isUntil {
            try step()
            do throws(RubyJump) { _ = try evaluate(body, in: scope) } catch {
                switch error {
                case .leave: return carried
                case .next: continue
                default: throw error
                }
            }
        }
        return .null
    }

    private func forEach(
        _ targets: [RubyNode], in list: RubyNode, _ body: [RubyNode], _ scope: RubyScope, at line: Int
    ) throws(RubyJump) -> RubyValue {
        let value = try evaluate(list, in: scope)
        guard let items = try items(of: value, at: line) else { return value }
        for item in items {
            if targets.count == 1 {
                try assign(item, to: targets[0], in: scope)
            } else {
                try assignMany(item, to: targets, in: scope)
            }
            do throws(RubyJump) { _ = try evaluate(body, in: scope) } catch {
                switch error {
                case .leave: return carried
                case .next: continue
                default: throw error
                }
            }
        }
        return value
    }

    private func select(
        _ subject: RubyNode?, _ branches: [RubyNode.When], _ otherwise: [RubyNode], in scope: RubyScope, at line: Int
    ) throws(RubyJump) -> RubyValue {
        let value = try subject.map { node throws(RubyJump) in try evaluate(node, in: scope) }
        if let unknown = value?.unknown {
            tell(.undecided, "no branch is taken: \(unknown.reason)", at: line)
            return try evaluate(otherwise, in: scope)
        }
        for branch in branches {
            for candidate in branch.values {
                let other = try evaluate(candidate, in: scope)
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

    // MARK: - Functions

    /// Calls a block or a function.
    public func call(
        _ procedure: RubyProcedure, _ arguments: [RubyValue], block: RubyProcedure? = nil
    ) throws(RubyJump) -> RubyValue {
        try step()
        let scope = RubyScope(in: procedure.isFunction ? nil : procedure.scope, block: block)
        try bind(procedure.function.parameters, to: arguments, in: scope, isBlock: !procedure.isFunction, block)
        do throws(RubyJump) {
            return try evaluate(procedure.function.body, in: scope)
        } catch {
            switch error {
            case .next: return carried
            case .back where procedure.isFunction || procedure.isLambda: return carried
            default: throw error
            }
        }
    }

    private func bind(
        _ parameters: [RubyNode.Parameter], to arguments: [RubyValue], in scope: RubyScope, isBlock: Bool,
        _ block: RubyProcedure?
    ) throws(RubyJump) {
        var values = arguments[...]
        let positional = parameters.filter { !$0.isKey && !$0.isBlock }
        // A block takes a list apart when it has several names for it.
        if isBlock, values.count == 1, positional.count > 1, case .list(let list)? = values.first {
            values = list.items[...]
        }
        var options: RubyTable?
        if parameters.contains(where: \.isKey), case .table(let table)? = values.last {
            options = table
            values = values.dropLast()
        }
        for (index, parameter) in parameters.enumerated() {
            if parameter.isBlock {
                scope.declare(parameter.name, block.map { .procedure($0) } ?? .null)
            } else if parameter.isKey {
                let given = options?.named(parameter.name)
                scope.declare(
                    parameter.name, try given.orElse { () throws(RubyJump) in try standard(parameter, in: scope) })
            } else if parameter.isRest {
                let after = parameters[(index + 1)...].count { !$0.isKey && !$0.isBlock }
                let count = max(0, values.count - after)
                scope.declare(parameter.name, try made(Array(values.prefix(count))))
                values = values.dropFirst(count)
            } else {
                let given = values.popFirst()
                if !parameter.parts.isEmpty {
                    let inner = given?.items ?? [given ?? .null]
                    try bind(parameter.parts, to: inner, in: scope, isBlock: false, nil)
                } else {
                    scope.declare(
                        parameter.name, try given.orElse { () throws(RubyJump) in try standard(parameter, in: scope) })
                }
            }
        }
    }

    private func standard(_ parameter: RubyNode.Parameter, in scope: RubyScope) throws(RubyJump) -> RubyValue {
        try parameter.standard.map { node throws(RubyJump) in try evaluate(node, in: scope) } ?? .null
    }

    // MARK: - Assignments

    func assignment(_ node: RubyNode, in scope: RubyScope) throws(RubyJump) -> RubyValue {
        switch node.kind {
        case .assign(let target, let value):
            let value = try evaluate(value, in: scope)
            try assign(value, to: target, in: scope)
            return value
        case .assignMany(let targets, let value):
            let value = try evaluate(value, in: scope)
            try assignMany(value, to: targets, in: scope)
            return value
        case .change(let target, let change, let value):
            let old = try isUnset(target, in: scope) ? RubyValue.null : evaluate(target, in: scope)
            let new: RubyValue
            switch change {
            case "||":
                new = try either(old, at: node.line) { () throws(RubyJump) in try evaluate(value, in: scope) }
            case "&&": new = isTrue(old, at: node.line) ? try evaluate(value, in: scope) : old
            default: new = try respond(old, RubyCall(change, [try evaluate(value, in: scope)], line: node.line))
            }
            try assign(new, to: target, in: scope)
            return new
        default: return .null
        }
    }

    /// A name of the file's own that has no value yet.
    private func isUnset(_ target: RubyNode, in scope: RubyScope) throws(RubyJump) -> Bool {
        switch target.kind {
        case .variable(let name): scope.value(of: name) == nil && globals[name] == nil
        case .constant(let name, nil): constants[name] == nil
        default: false
        }
    }

    private func assignMany(_ value: RubyValue, to targets: [RubyNode], in scope: RubyScope) throws(RubyJump) {
        var items = (value.items ?? [value])[...]
        for (index, target) in targets.enumerated() {
            if case .splat(let inner) = target.kind {
                let count = max(0, items.count - (targets.count - index - 1))
                try assign(try made(Array(items.prefix(count))), to: inner, in: scope)
                items = items.dropFirst(count)
            } else {
                try assign(items.popFirst() ?? .null, to: target, in: scope)
            }
        }
    }

    private func assign(_ value: RubyValue, to target: RubyNode, in scope: RubyScope) throws(RubyJump) {
        switch target.kind {
        case .variable(let name):
            if name.hasPrefix("@") || name.hasPrefix("$") {
                globals[name] = value
            } else {
                scope.assign(name, value)
            }
        case .constant(let name, _): constants[name] = value
        case .call(let call):
            guard let receiver = call.receiver else { return }
            let object = try evaluate(receiver, in: scope)
            let given = try arguments(call.arguments, in: scope).values
            let name = call.name == "[]" ? "[]=" : call.name + "="
            let answer = try respond(object, RubyCall(name, given + [value], line: target.line))
            // What is not known itself is told where it is used.
            if let unknown = answer.unknown, unknown != value.unknown {
                tell(.skipped, unknown.reason, at: unknown.line)
            }
        default: break
        }
    }
}

extension RubyValue? {
    /// `??`, which cannot say what it throws.
    func orElse(_ other: () throws(RubyJump) -> RubyValue) throws(RubyJump) -> RubyValue {
        if let self { return self }
        return try other()
    }
}

/// A module or a class of the file. Its functions are known by their names alone.
final class RubyModule: RubyObject {
    let title: String
    init(_ name: String) { title = name }

    func answer(_ call: RubyCall, in evaluator: RubyEvaluator) throws(RubyJump) -> RubyValue? {
        guard let function = evaluator.functions[call.name] else { return nil }
        return try evaluator.call(function, call.arguments, block: call.block)
    }
}
