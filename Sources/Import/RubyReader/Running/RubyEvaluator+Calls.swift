/// Calls: who answers them.
extension RubyEvaluator {
    func evaluate(_ call: RubyNode.Call, at line: Int, in scope: RubyScope) throws(RubyJump) -> RubyValue {
        var receiver: RubyValue?
        if let node = call.receiver {
            if case .selfObject = node.kind {
                receiver = nil
            } else {
                let value = try evaluate(node, in: scope)
                if call.isSafe, value.isNull { return .null }
                receiver = value
            }
        } else if call.arguments.isEmpty, call.block == nil, let value = scope.value(of: call.name) {
            return value
        }
        var (values, block) = try arguments(call.arguments, in: scope)
        if let function = call.block { block = RubyProcedure(function, in: scope) }
        let request = RubyCall(call.name, values, block: block, line: line)
        do throws(RubyJump) {
            guard let receiver else { return try callFunction(request, in: scope) }
            let result = try respond(receiver, request)
            // Texts are values here: what changes one gives its variable the new text.
            if ["<<", "concat"].contains(call.name), case .string = receiver, case .string = result,
                let target = call.receiver
            {
                try changeText(target, to: result, in: scope)
            }
            return result
        } catch {
            guard call.block != nil, case .leave = error else { throw error }
            return carried
        }
    }

    private func changeText(_ target: RubyNode, to value: RubyValue, in scope: RubyScope) throws(RubyJump) {
        // `text << "a" << "b"` changes the same text twice.
        if case .call(let call) = target.kind, call.name == "<<", let inner = call.receiver {
            return try changeText(inner, to: value, in: scope)
        }
        guard case .variable(let name) = target.kind else { return }
        if name.hasPrefix("@") || name.hasPrefix("$") {
            globals[name] = value
        } else {
            scope.assign(name, value)
        }
    }

    /// The values of arguments, and the block among them.
    func arguments(
        _ nodes: [RubyNode], in scope: RubyScope
    ) throws(RubyJump) -> (values: [RubyValue], block: RubyProcedure?) {
        var values: [RubyValue] = []
        var block: RubyProcedure?
        for node in nodes {
            switch node.kind {
            case .splat(let inner):
                let value = try evaluate(inner, in: scope)
                let items = try items(of: value, at: node.line) ?? [value]
                try count(items.count)
                values += items
            case .blockPass(let inner):
                switch try evaluate(inner, in: scope) {
                case .procedure(let procedure): block = procedure
                case .symbol(let name): block = Self.procedure(calling: name, at: node.line)
                default: break
                }
            default: values.append(try evaluate(node, in: scope))
            }
        }
        return (values, block)
    }

    /// `&:name`
    private static func procedure(calling name: String, at line: Int) -> RubyProcedure {
        let item = RubyNode(line: line, kind: .variable("item"))
        let call = RubyNode(line: line, kind: .call(RubyNode.Call(receiver: item, name: name)))
        return RubyProcedure(
            RubyNode.Function(parameters: [RubyNode.Parameter(name: "item")], body: [call]), in: RubyScope())
    }

    // MARK: - Answers

    /// What a value answers to a call.
    public func respond(_ receiver: RubyValue, _ call: RubyCall) throws(RubyJump) -> RubyValue {
        if case .unknown = receiver { return receiver }
        if let answer = try answerCommon(receiver, call) { return answer }
        let answer: RubyValue?
        switch receiver {
        case .string(let text): answer = try answerText(text, call)
        case .symbol(let text): answer = try answerSymbol(text, call)
        case .integer, .decimal: answer = try answerNumber(receiver, call)
        case .list(let list): answer = try answerList(list, call)
        case .table(let table): answer = try answerTable(table, call)
        case .range(let low, let high): answer = try answerRange(low, high, call)
        case .environment(let name): answer = try answerEnvironment(name, call)
        case .procedure(let procedure) where ["call", "()", "yield", "[]"].contains(call.name):
            answer = try self.call(procedure, call.arguments, block: call.block)
        case .object(let object): answer = try object.answer(call, in: self)
        case .pattern(let pattern, let flags) where ["=~", "match", "match?", "==="].contains(call.name):
            answer = match(call.arguments.first ?? .null, pattern, flags, at: call.line)
        default: answer = nil
        }
        return answer ?? unknown("'\(Self.title(of: receiver))\(call.name)' is not known here", at: call.line)
    }

    private static func title(of value: RubyValue) -> String {
        switch value {
        case .object(let object): "\(object.title)."
        case .null: "nil."
        case .string, .symbol: "(a text)."
        case .integer, .decimal: "(a number)."
        case .list: "(a list)."
        case .table: "(a table)."
        default: "(a value)."
        }
    }
}
