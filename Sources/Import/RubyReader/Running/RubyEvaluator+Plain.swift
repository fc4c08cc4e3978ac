/// Methods of whatever has items that need no block.
extension RubyEvaluator {
    /// Methods that need no block.
    func answerPlain(_ items: [RubyValue], _ call: RubyCall) throws(RubyJump) -> RubyValue? {
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
        case "include?", "member?":
            let wanted = settled(argument ?? .null, at: call.line)
            return .flag(items.contains { $0.equals(wanted) })
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
