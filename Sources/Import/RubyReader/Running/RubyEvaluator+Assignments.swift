/// Assignments.
extension RubyEvaluator {
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

    func assignMany(_ value: RubyValue, to targets: [RubyNode], in scope: RubyScope) throws(RubyJump) {
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

    func assign(_ value: RubyValue, to target: RubyNode, in scope: RubyScope) throws(RubyJump) {
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
            if let unknown = answer.unknown, unknown != value.unknown { tellLost(unknown, target, in: scope) }
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
