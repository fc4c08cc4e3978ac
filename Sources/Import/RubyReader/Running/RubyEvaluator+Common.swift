/// Methods that all values have.
extension RubyEvaluator {
    func answerCommon(_ receiver: RubyValue, _ call: RubyCall) throws(RubyJump) -> RubyValue? {
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
            let other = settled(argument ?? .null, at: call.line)
            return .flag(settled(receiver, at: call.line).equals(other))
        case ("freeze", _), ("dup", .string), ("clone", .string), ("itself", _), ("to_str", .string),
            ("to_sym", .symbol),
            ("html_safe", _), ("force_encoding", _), ("encode", .string), ("to_a", .list), ("to_ary", .list),
            ("to_h", .table), ("compact", .null), ("with_indifferent_access", .table):
            return receiver
        case ("to_s", .object), ("inspect", .object): return nil
        case ("to_s", .string(let text)): return .string(RubyPlaceholder.converted(text, toNumber: false) ?? text)
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
}
