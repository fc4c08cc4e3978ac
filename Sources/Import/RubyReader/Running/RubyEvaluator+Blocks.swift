/// Methods of whatever has items that call a block for each.
extension RubyEvaluator {
    func answerItems(_ items: [RubyValue], _ call: RubyCall) throws(RubyJump) -> RubyValue? {
        if let answer = try answerPlain(items, call) { return answer }
        guard let block = call.block else {
            // Without a block it can be gone through later: `each.with_index(1)`.
            if call.name == "each_with_index" {
                try count(items.count * 2)
                let pairs = items.enumerated().map { RubyValue.list(RubyList([$1, .integer(Int64($0))])) }
                return .object(RubySequence(pairs, "each"))
            }
            return ["each", "map", "collect", "select"].contains(call.name)
                ? .object(RubySequence(items, call.name)) : nil
        }
        return try answerBlock(items, call, block)
    }

    private func answerBlock(
        _ items: [RubyValue], _ call: RubyCall, _ block: RubyProcedure
    ) throws(RubyJump) -> RubyValue? {
        func isTrue(_ item: RubyValue) throws(RubyJump) -> Bool {
            self.isTrue(try self.call(block, [item]), at: call.line)
        }
        switch call.name {
        case "each", "each_entry", "reverse_each":
            for item in call.name == "reverse_each" ? items.reversed() : items { _ = try self.call(block, [item]) }
            return .list(RubyList(items))
        case "each_with_index":
            for (index, item) in items.enumerated() { _ = try self.call(block, [item, .integer(Int64(index))]) }
            return .list(RubyList(items))
        case "each_index":
            for index in items.indices { _ = try self.call(block, [.integer(Int64(index))]) }
            return .list(RubyList(items))
        case "map", "collect", "flat_map", "filter_map":
            var results: [RubyValue] = []
            for item in items {
                let value = try self.call(block, [item])
                if call.name == "filter_map", value.isNull { continue }
                if call.name == "flat_map", let inner = value.items { results += inner } else { results.append(value) }
                try count(1)
            }
            return .list(RubyList(results))
        case "select", "filter", "find_all", "reject", "take_while":
            var results: [RubyValue] = []
            for item in items {
                let isChosen = try isTrue(item)
                if call.name == "take_while", !isChosen { break }
                if isChosen == (call.name != "reject") { results.append(item) }
            }
            return try made(results)
        case "find", "detect":
            for item in items where try isTrue(item) { return item }
            return .null
        case "find_index", "index":
            for (index, item) in items.enumerated() where try isTrue(item) { return .integer(Int64(index)) }
            return .null
        case "any?", "all?", "none?":
            for item in items {
                let isChosen = try isTrue(item)
                if call.name == "any?", isChosen { return .flag(true) }
                if call.name == "all?", !isChosen { return .flag(false) }
                if call.name == "none?", isChosen { return .flag(false) }
            }
            return .flag(call.name != "any?")
        case "count":
            var found = 0
            for item in items where try isTrue(item) { found += 1 }
            return .integer(Int64(found))
        case "inject", "reduce":
            var result = call.arguments.first
            for item in items {
                result = try result.map { old throws(RubyJump) in try self.call(block, [old, item]) } ?? item
            }
            return result ?? .null
        case "each_with_object":
            let memory = call.arguments.first ?? .null
            for item in items { _ = try self.call(block, [item, memory]) }
            return memory
        case "sum":
            var result: RubyValue = call.arguments.first ?? .integer(0)
            for item in items {
                result = try respond(result, RubyCall("+", [try self.call(block, [item])], line: call.line))
            }
            return result
        case "sort_by", "min_by", "max_by":
            var keyed: [(key: RubyValue, item: RubyValue)] = []
            for item in items { keyed.append((try self.call(block, [item]), item)) }
            keyed.sort { ($0.key.compared(to: $1.key) ?? 0) < 0 }
            switch call.name {
            case "min_by": return keyed.first?.item ?? .null
            case "max_by": return keyed.last?.item ?? .null
            default: return try made(keyed.map(\.item))
            }
        case "group_by", "to_h", "partition", "index_by": return try grouped(items, call, block)
        case "each_slice", "each_cons":
            guard let width = call.arguments.first?.integer, (1...1000).contains(width) else { return nil }
            for start in stride(from: 0, to: items.count, by: Int(width)) {
                _ = try self.call(block, [try made(Array(items[start...].prefix(Int(width))))])
            }
            return .null
        case "sort", "uniq", "each_line": return try answerPlain(items, RubyCall(call.name, line: call.line))
        default: return nil
        }
    }

    private func grouped(_ items: [RubyValue], _ call: RubyCall, _ block: RubyProcedure) throws(RubyJump) -> RubyValue?
    {
        let table = RubyTable()
        var chosen: [RubyValue] = []
        var others: [RubyValue] = []
        for item in items {
            try count(1)
            let value = try self.call(block, [item])
            switch call.name {
            case "group_by":
                if case .list(let list)? = table[value] {
                    list.items.append(item)
                } else {
                    table[value] = .list(RubyList([item]))
                }
            case "to_h": if let pair = value.items, pair.count == 2 { table[pair[0]] = pair[1] }
            case "index_by": table[value] = item
            default: if isTrue(value, at: call.line) { chosen.append(item) } else { others.append(item) }
            }
        }
        return call.name == "partition" ? try made([try made(chosen), try made(others)]) : .table(table)
    }
}
