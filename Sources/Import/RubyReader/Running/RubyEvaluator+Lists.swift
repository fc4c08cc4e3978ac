/// Methods of lists, ranges and tables.
extension RubyEvaluator {
    func answerRange(_ low: Int64, _ high: Int64, _ call: RubyCall) throws(RubyJump) -> RubyValue? {
        switch call.name {
        case "begin": return .integer(low)
        case "end": return .integer(high)
        case "first" where call.arguments.isEmpty: return .integer(low)
        case "last" where call.arguments.isEmpty: return .integer(high)
        case "include?", "cover?", "member?", "===":
            return number(call.arguments.first ?? .null, at: call.line).map { .flag(low <= $0 && $0 <= high) }
        case "step", "%":
            guard let width = call.arguments.first?.integer, width > 0, low <= high else { return nil }
            guard (high - low) / width < Int64(RubyLimits.items) else { throw .limit }
            let values = stride(from: low, through: high, by: Int(width)).map { .integer($0) as RubyValue }
            return try answerItems(values, RubyCall("each", block: call.block, line: call.line))
        default:
            guard let items = try items(of: .range(low, high), at: call.line) else { return nil }
            return try answerItems(items, call)
        }
    }

    func answerList(_ list: RubyList, _ call: RubyCall) throws(RubyJump) -> RubyValue? {
        let argument = call.arguments.first
        switch call.name {
        case "<<", "push", "append", "add":
            try count(call.arguments.count)
            list.items += call.arguments
        case "unshift", "prepend":
            try count(call.arguments.count)
            list.items.insert(contentsOf: call.arguments, at: 0)
        case "concat":
            guard let other = argument?.items else { return nil }
            try count(other.count)
            list.items += other
        case "insert":
            guard let index = argument?.integer, (0...Int64(list.items.count)).contains(index) else { return nil }
            try count(call.arguments.count)
            list.items.insert(contentsOf: call.arguments.dropFirst(), at: Int(index))
        case "pop": return list.items.popLast() ?? .null
        case "shift": return list.items.isEmpty ? .null : list.items.removeFirst()
        case "clear": list.items = []
        case "delete":
            list.items.removeAll { $0.equals(argument ?? .null) }
            return argument
        case "delete_at":
            guard let index = argument?.integer, list.items.indices.contains(Int(clamping: index)) else { return .null }
            return list.items.remove(at: Int(index))
        case "[]=":
            guard let index = argument?.integer, let value = call.arguments.last, index < Int64(RubyLimits.items) else {
                return nil
            }
            let place = index < 0 ? Int(index) + list.items.count : Int(index)
            guard place >= 0 else { return nil }
            try count(max(1, place - list.items.count))
            while list.items.count <= place { list.items.append(.null) }
            list.items[place] = value
            return value
        case "map!", "collect!", "select!", "reject!", "uniq!", "compact!", "flatten!", "sort!", "reverse!",
            "delete_if",
            "keep_if":
            let plain =
                call.name == "delete_if" ? "reject" : call.name == "keep_if" ? "select" : String(call.name.dropLast())
            let changed = try answerItems(
                list.items, RubyCall(plain, call.arguments, block: call.block, line: call.line))
            list.items = changed?.items ?? list.items
        default:
            let items = list.items
            let answer = try answerItems(items, call)
            // `each` gives what it went through.
            return ["each", "each_with_index"].contains(call.name) && call.block != nil ? .list(list) : answer
        }
        return .list(list)
    }

    func answerTable(_ table: RubyTable, _ call: RubyCall) throws(RubyJump) -> RubyValue? {
        let key = call.arguments.first ?? .null
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

    // MARK: - Whatever has items

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

    /// Methods that need no block.
    private func answerPlain(_ items: [RubyValue], _ call: RubyCall) throws(RubyJump) -> RubyValue? {
        let argument = call.arguments.first
        switch call.name {
        case "[]", "slice", "at": return try part(of: items, call.arguments)
        case "dig":
            let inner = try part(of: items, [argument ?? .null]) ?? .null
            guard call.arguments.count > 1, !inner.isNull else { return inner }
            return try respond(inner, RubyCall("dig", Array(call.arguments.dropFirst()), line: call.line))
        case "fetch":
            guard let index = argument?.integer, items.indices.contains(Int(clamping: index)) else {
                return call.arguments.count > 1 ? call.arguments[1] : .null
            }
            return items[Int(index)]
        case "first", "take":
            guard let wanted = argument?.integer else { return call.name == "first" ? items.first ?? .null : nil }
            return try made(Array(items.prefix(Int(clamping: max(0, wanted)))))
        case "last":
            guard let wanted = argument?.integer else { return items.last ?? .null }
            return try made(Array(items.suffix(Int(clamping: max(0, wanted)))))
        case "drop": return try made(Array(items.dropFirst(Int(clamping: max(0, argument?.integer ?? 0)))))
        case "length", "size": return .integer(Int64(items.count))
        case "count" where call.block == nil:
            guard let argument else { return .integer(Int64(items.count)) }
            return .integer(Int64(items.count { $0.equals(argument) }))
        case "empty?": return .flag(items.isEmpty)
        case "any?" where call.block == nil: return .flag(!items.isEmpty)
        case "include?", "member?": return .flag(items.contains { $0.equals(argument ?? .null) })
        case "index" where call.block == nil, "find_index" where call.block == nil:
            return items.firstIndex { $0.equals(argument ?? .null) }.map { .integer(Int64($0)) } ?? .null
        case "join":
            let separator = argument?.text ?? ""
            var texts: [String] = []
            for item in items {
                guard let text = item.items.map({ $0.compactMap(\.text).joined(separator: separator) }) ?? item.text
                else { return item.unknown.map { .unknown($0) } }
                texts.append(text)
            }
            return try made(texts.joined(separator: separator))
        case "+", "|":
            guard let other = argument?.items else { return nil }
            let both = items + other
            return try made(call.name == "|" ? Self.unique(both) : both)
        case "-":
            guard let other = argument?.items else { return nil }
            return try made(items.filter { item in !other.contains { $0.equals(item) } })
        case "&":
            guard let other = argument?.items else { return nil }
            return try made(items.filter { item in other.contains { $0.equals(item) } })
        case "*":
            if let separator = argument?.symbolOrText {
                return try answerPlain(items, RubyCall("join", [.string(separator)], line: call.line))
            }
            guard let times = argument?.integer, (0...1000).contains(times) else { return nil }
            try count(items.count * Int(times))
            return try made((0..<times).flatMap { _ in items })
        case "reverse": return try made(items.reversed())
        case "compact": return try made(items.filter { !$0.isNull })
        case "flatten": return try made(Self.flat(items, depth: 0))
        case "uniq" where call.block == nil: return try made(Self.unique(items))
        case "sort" where call.block == nil: return try made(items.sorted { ($0.compared(to: $1) ?? 0) < 0 })
        case "min" where call.block == nil: return items.min { ($0.compared(to: $1) ?? 0) < 0 } ?? .null
        case "max" where call.block == nil: return items.max { ($0.compared(to: $1) ?? 0) < 0 } ?? .null
        case "sum", "inject", "reduce":
            guard call.block == nil else { return nil }
            let name = argument?.symbolOrText ?? "+"
            var result = items.first ?? .integer(0)
            for item in items.dropFirst() { result = try respond(result, RubyCall(name, [item], line: call.line)) }
            return result
        case "to_a", "entries", "to_ary", "dup", "clone", "lazy", "to_set", "lines": return try made(items)
        case "to_h" where call.block == nil:
            let table = RubyTable()
            for case .list(let pair) in items where pair.items.count == 2 {
                try count(1)
                table[pair.items[0]] = pair.items[1]
            }
            return .table(table)
        case "zip":
            let others = call.arguments.compactMap(\.items)
            return try made(
                items.enumerated().map { index, item in
                    .list(RubyList([item] + others.map { $0.indices.contains(index) ? $0[index] : .null }))
                })
        case "each_slice" where call.block == nil: return nil
        default: return nil
        }
    }

    private func part(of items: [RubyValue], _ arguments: [RubyValue]) throws(RubyJump) -> RubyValue? {
        switch arguments.first {
        case .integer(let index):
            let place = index < 0 ? index &+ Int64(items.count) : index
            if arguments.count > 1, let length = arguments[1].integer {
                guard place >= 0, length >= 0 else { return .null }
                return try made(Array(items.dropFirst(Int(clamping: place)).prefix(Int(clamping: length))))
            }
            return items.indices.contains(Int(clamping: place)) ? items[Int(place)] : .null
        case .range(let low, let high):
            let start = low < 0 ? low &+ Int64(items.count) : low
            let end = high < 0 ? high &+ Int64(items.count) : min(high, Int64(items.count) - 1)
            guard start >= 0, start <= end else { return .list(RubyList([])) }
            return try made(Array(items[Int(start)...Int(end)]))
        default: return nil
        }
    }

    private static func unique(_ items: [RubyValue]) -> [RubyValue] {
        var seen: Set<RubyTable.Key> = []
        return items.filter { seen.insert(RubyTable.Key($0)).inserted }
    }

    private static func flat(_ items: [RubyValue], depth: Int) -> [RubyValue] {
        guard depth < 8 else { return items }
        return items.flatMap { item in item.items.map { flat($0, depth: depth + 1) } ?? [item] }
    }
}

/// What `each` and `map` give without a block.
private final class RubySequence: RubyObject {
    let title = "a sequence"
    private let items: [RubyValue]
    private let name: String

    init(_ items: [RubyValue], _ name: String) {
        self.items = items
        self.name = name
    }

    func answer(_ call: RubyCall, in evaluator: RubyEvaluator) throws(RubyJump) -> RubyValue? {
        guard call.name == "with_index" || call.name == "each_with_index", let block = call.block else {
            return try evaluator.answerItems(items, call)
        }
        let offset = call.arguments.first?.integer ?? 0
        var results: [RubyValue] = []
        for (index, item) in items.enumerated() {
            results.append(try evaluator.call(block, [item, .integer(Int64(index) &+ offset)]))
        }
        try evaluator.count(results.count)
        return .list(RubyList(name == "each" ? items : results))
    }
}
