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

    private func answerCommon(_ receiver: RubyValue, _ call: RubyCall) throws(RubyJump) -> RubyValue? {
        let argument = call.arguments.first
        switch (call.name, receiver) {
        case ("nil?", .environment(let name)):
            tell(.undecided, "'\(name)' of the environment counts as not set", at: call.line)
            return .flag(true)
        case ("nil?", _): return .flag(receiver.isNull)
        case ("==", .environment(let name)), ("eql?", .environment(let name)):
            tell(.undecided, "'\(name)' of the environment counts as not set", at: call.line)
            return .flag(argument?.isNull ?? false)
        case ("==", .object), ("equal?", .object), ("eql?", .object): return nil
        case ("==", _), ("eql?", _), ("equal?", _), ("===", .string), ("===", .symbol), ("===", .integer):
            if let unknown = argument?.unknown { return .unknown(unknown) }
            if case .string(let text) = receiver, RubyPlaceholder.isIn(text) {
                tell(.undecided, "a variable of the environment counts as not set", at: call.line)
            }
            return .flag(receiver.equals(argument ?? .null))
        case ("!=", _): return .flag(!receiver.equals(argument ?? .null))
        case ("freeze", _), ("dup", .string), ("clone", .string), ("itself", _), ("to_str", .string),
            ("to_sym", .symbol),
            ("html_safe", _), ("force_encoding", _), ("encode", .string), ("to_a", .list), ("to_ary", .list),
            ("to_h", .table), ("compact", .null), ("with_indifferent_access", .table):
            return receiver
        case ("to_s", .object), ("inspect", .object): return nil
        case ("to_s", _) where call.arguments.isEmpty: return receiver.text.map { .string($0) }
        case ("inspect", _): return .string(receiver.inspected)
        case ("to_i", .null): return .integer(0)
        case ("to_a", .null): return .list(RubyList([]))
        case ("to_h", .null): return .table(RubyTable())
        case ("empty?", .null): return .flag(true)
        case ("then", _), ("yield_self", _):
            return try call.block.map { block throws(RubyJump) in try self.call(block, [receiver]) }
        case ("tap", _):
            if let block = call.block { _ = try self.call(block, [receiver]) }
            return receiver
        case ("send", _), ("public_send", _), ("__send__", _):
            guard let name = argument?.symbolOrText else { return nil }
            return try respond(
                receiver, RubyCall(name, Array(call.arguments.dropFirst()), block: call.block, line: call.line))
        case ("is_a?", _), ("kind_of?", _), ("instance_of?", _):
            guard case .object(let object)? = argument else { return nil }
            return .flag(Self.classNames(of: receiver).contains(object.title))
        case ("respond_to?", .object): return nil
        case ("respond_to?", _):
            return .flag(["each", "keys"].contains(argument?.symbolOrText) && receiver.items != nil)
        default: return nil
        }
    }

    private static func classNames(of value: RubyValue) -> [String] {
        switch value {
        case .string: ["String"]
        case .symbol: ["Symbol"]
        case .integer: ["Integer", "Numeric", "Fixnum"]
        case .decimal: ["Float", "Numeric"]
        case .list: ["Array", "Enumerable"]
        case .table: ["Hash", "Enumerable"]
        case .null: ["NilClass"]
        case .flag(let flag): [flag ? "TrueClass" : "FalseClass"]
        case .range: ["Range"]
        case .procedure: ["Proc"]
        default: []
        }
    }

    /// A variable that is not set answers as nothing does.
    private func answerEnvironment(_ name: String, _ call: RubyCall) throws(RubyJump) -> RubyValue? {
        switch call.name {
        case "to_i":
            tell(.fixed, "'\(name)' of the environment counts as 0", at: call.line)
            return .integer(0)
        case "to_a": return .list(RubyList([]))
        case "empty?": return .flag(true)
        case "+", "strip", "chomp", "downcase", "upcase":
            return try answerText(RubyPlaceholder.text(name, fallback: nil), call)
        default: return unknown("'\(name)' of the environment is not known here", at: call.line)
        }
    }

    // MARK: - Lists of any kind

    /// The items of what can be gone through; nil if it cannot, and that is told.
    func items(of value: RubyValue, at line: Int) throws(RubyJump) -> [RubyValue]? {
        switch value {
        case .list(let list): return list.items
        case .range(let low, let high):
            guard low <= high else { return [] }
            guard high.subtractingReportingOverflow(low).partialValue < Int64(RubyLimits.items), high - low >= 0 else {
                throw .limit
            }
            try count(Int(high - low) + 1)
            return (low...high).map { .integer($0) }
        case .table(let table):
            try count(table.count * 2)
            return table.pairs.map { .list(RubyList([$0.key, $0.value])) }
        case .null: return []
        case .unknown(let unknown):
            tell(.undecided, "the loop is left out: \(unknown.reason)", at: line)
            return nil
        default:
            tell(.undecided, "the loop is left out: what it goes through is not a list", at: line)
            return nil
        }
    }
}
