/// Loops.
extension RubyEvaluator {
    func loop(
        _ condition: RubyNode, _ isUntil: Bool, _ body: [RubyNode], in scope: RubyScope, at line: Int
    ) throws(RubyJump) -> RubyValue {
        while try isTrue(evaluate(condition, in: scope), at: line) != isUntil {
            try step()
            do throws(RubyJump) { _ = try evaluate(body, in: scope) } catch {
                switch error {
                case .leave: return carried
                case .next: continue
                default: throw error
                }
            }
        }
        return .null
    }

    func forEach(
        _ targets: [RubyNode], in list: RubyNode, _ body: [RubyNode], _ scope: RubyScope, at line: Int
    ) throws(RubyJump) -> RubyValue {
        let value = try evaluate(list, in: scope)
        if let unknown = value.unknown, isNeeded(body, in: scope) {
            tell(.lost, unknown.reason, at: line)
            return .null
        }
        guard let items = try items(of: value, at: line) else { return value }
        for item in items {
            if targets.count == 1 {
                try assign(item, to: targets[0], in: scope)
            } else {
                try assignMany(item, to: targets, in: scope)
            }
            do throws(RubyJump) { _ = try evaluate(body, in: scope) } catch {
                switch error {
                case .leave: return carried
                case .next: continue
                default: throw error
                }
            }
        }
        return value
    }
}
