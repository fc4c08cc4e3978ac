/// Methods of tables.
extension RubyEvaluator {
    func answerTable(_ table: RubyTable, _ call: RubyCall) throws(RubyJump) -> RubyValue? {
        var key = call.arguments.first ?? .null
        if !["[]=", "store"].contains(call.name) { key = settled(key, at: call.line) }
        switch call.name {
        case "[]": return table[key] ?? table.standard
        case "[]=", "store":
            let value = call.arguments.last ?? .null
            try count(1)
            table[key] = value
            return value
        case "fetch":
            if let value = table[key] { return value }
            if let block = call.block { return try self.call(block, [key]) }
            return call.arguments.count > 1
                ? call.arguments[1] : unknown("there is no key \(key.inspected)", at: call.line)
        case "dig":
            let inner = table[key] ?? .null
            guard call.arguments.count > 1, !inner.isNull else { return inner }
            return try respond(inner, RubyCall("dig", Array(call.arguments.dropFirst()), line: call.line))
        case "key?", "has_key?", "include?", "member?": return .flag(table[key] != nil)
        case "value?", "has_value?": return .flag(table.values.contains { $0.equals(key) })
        case "keys": return try made(table.keys)
        case "values": return try made(table.values)
        case "length", "size": return .integer(Int64(table.count))
        case "empty?": return .flag(table.count == 0)
        case "delete":
            let old = table[key]
            table[key] = nil
            return old ?? .null
        case "dup", "clone":
            try count(table.count)
            return .table(table.copy())
        case "merge", "merge!", "update", "deep_merge", "reverse_merge", "merge_recursively":
            let result = call.name == "merge!" || call.name == "update" ? table : table.copy()
            for case .table(let other) in call.arguments {
                try count(other.count + table.count)
                for (key, value) in other.pairs where call.name != "reverse_merge" || result[key] == nil {
                    if call.name == "deep_merge", case .table(let inner)? = result[key], case .table(let new) = value {
                        result[key] = try answerTable(inner, RubyCall("merge", [.table(new)], line: call.line))
                    } else {
                        result[key] = value
                    }
                }
            }
            return .table(result)
        case "each_key", "each_value":
            _ = try answerItems(
                call.name == "each_key" ? table.keys : table.values,
                RubyCall("each", block: call.block, line: call.line))
            return .table(table)
        case "select", "filter", "reject", "transform_values", "transform_keys", "symbolize_keys", "stringify_keys",
            "compact", "to_hash":
            return try changed(table, call)
        case "key":
            return table.pairs.first { $0.value.equals(key) }?.key ?? .null
        case "each", "each_pair":
            guard let items = try items(of: .table(table), at: call.line) else { return nil }
            let answer = try answerItems(items, RubyCall("each", block: call.block, line: call.line))
            return call.block == nil ? answer : .table(table)
        default:
            // `settings.name`, as some libraries have it, is nothing that Ruby's own tables know.
            guard let items = try items(of: .table(table), at: call.line) else { return nil }
            return try answerItems(items, call)
        }
    }

    private func changed(_ table: RubyTable, _ call: RubyCall) throws(RubyJump) -> RubyValue? {
        let result = RubyTable()
        try count(table.count)
        for (key, value) in table.pairs {
            switch call.name {
            case "symbolize_keys": result[key.symbolOrText.map { .symbol($0) } ?? key] = value
            case "stringify_keys": result[key.text.map { .string($0) } ?? key] = value
            case "compact": if !value.isNull { result[key] = value }
            case "to_hash": result[key] = value
            case "transform_values":
                guard let block = call.block else { return nil }
                result[key] = try self.call(block, [value])
            case "transform_keys":
                guard let block = call.block else { return nil }
                result[try self.call(block, [key])] = value
            default:
                guard let block = call.block else { return nil }
                let isChosen = isTrue(try self.call(block, [key, value]), at: call.line)
                if isChosen == (call.name != "reject") { result[key] = value }
            }
        }
        return .table(result)
    }
}
