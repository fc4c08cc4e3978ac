/// Methods of lists that change them.
extension RubyEvaluator {
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
}
