/// Calls of blocks, lambdas and the file's own functions.
extension RubyEvaluator {
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
}
