/// An expression of Ruby, as the parser has understood it.
struct RubyNode {
    /// Counted from 1.
    var line: Int
    var kind: Kind

    indirect enum Kind {
        case null
        case selfObject
        case flag(Bool)
        case integer(Int64)
        case decimal(Double)
        case string([Part])
        case symbol([Part])
        case pattern(String, flags: String)
        case array([RubyNode])
        case hash([Pair])
        /// `*list`, as an argument or an item.
        case splat(RubyNode)
        /// `&block`, as an argument.
        case blockPass(RubyNode)
        case range(RubyNode?, RubyNode?, excludesEnd: Bool)
        /// Local, or with its `@` or `$`.
        case variable(String)
        case constant(String, in: RubyNode?)
        case call(Call)
        case assign(to: RubyNode, RubyNode)
        case change(RubyNode, by: String, RubyNode)
        case assignMany([RubyNode], RubyNode)
        case and(RubyNode, RubyNode)
        case or(RubyNode, RubyNode)
        case not(RubyNode)
        case choice(RubyNode, then: [RubyNode], otherwise: [RubyNode])
        case loop(RubyNode, until: Bool, [RubyNode])
        case forEach([RubyNode], in: RubyNode, [RubyNode])
        case select(RubyNode?, [When], otherwise: [RubyNode])
        case function(String, Function, isOfModule: Bool)
        case module(String, [RubyNode])
        case lambda(Function)
        /// `begin` and `ensure`: what to do where something fails is not looked at.
        case group([RubyNode])
        case jump(Jump, RubyNode?)
        case yield([RubyNode])
        case isDefined(RubyNode)
        /// What is known to be there and not understood.
        case unknown(String)
    }

    enum Jump { case leave, next, back }

    enum Part {
        case text(String)
        case code([RubyNode])
    }

    struct Pair {
        /// nil: all pairs of the value, `**options`.
        var key: RubyNode?
        var value: RubyNode
    }

    struct When {
        var values: [RubyNode]
        var body: [RubyNode]
    }

    struct Call {
        var receiver: RubyNode?
        var name: String
        var arguments: [RubyNode] = []
        var block: Function?
        /// `&.`
        var isSafe = false
    }

    /// A function, a lambda or a block.
    struct Function {
        var parameters: [Parameter] = []
        var body: [RubyNode] = []
    }

    struct Parameter {
        var name: String
        var standard: RubyNode?
        var isRest = false
        var isKey = false
        var isBlock = false
        /// Names that take a list apart, as in `|(name, options), index|`.
        var parts: [Parameter] = []
    }
}
