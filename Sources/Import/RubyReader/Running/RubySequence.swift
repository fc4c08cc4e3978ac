/// What `each` and `map` give without a block.
final class RubySequence: RubyObject {
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
