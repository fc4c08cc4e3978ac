extension RubyNode {
    /// What is directly in it, in any order.
    var children: [RubyNode] {
        switch kind {
        case .null, .selfObject, .flag, .integer, .decimal, .pattern, .variable, .unknown: []
        case .string(let parts), .symbol(let parts):
            parts.flatMap(\.children)
        case .array(let nodes), .group(let nodes), .module(_, let nodes), .yield(let nodes): nodes
        case .hash(let pairs): pairs.flatMap { [$0.key, $0.value].compactMap(\.self) }
        case .splat(let node), .blockPass(let node), .not(let node), .isDefined(let node): [node]
        case .range(let low, let high, _): [low, high].compactMap(\.self)
        case .constant(_, let owner): [owner].compactMap(\.self)
        case .call(let call): [call.receiver].compactMap(\.self) + call.arguments + (call.block?.children ?? [])
        case .assign(let target, let value), .change(let target, _, let value): [target, value]
        case .assignMany(let targets, let value): targets + [value]
        case .and(let left, let right), .or(let left, let right): [left, right]
        case .choice(let condition, let first, let second): [condition] + first + second
        case .loop(let condition, _, let body): [condition] + body
        case .forEach(let targets, let list, let body): targets + [list] + body
        case .select(let subject, let branches, let otherwise):
            [subject].compactMap(\.self) + branches.flatMap { $0.values + $0.body } + otherwise
        case .function(_, let function, _), .lambda(let function): function.children
        case .jump(_, let value): [value].compactMap(\.self)
        }
    }
}

extension RubyNode.Function {
    var children: [RubyNode] { parameters.compactMap(\.standard) + body }
}

extension RubyNode.Part {
    var children: [RubyNode] { if case .code(let nodes) = self { nodes } else { [] } }
}
