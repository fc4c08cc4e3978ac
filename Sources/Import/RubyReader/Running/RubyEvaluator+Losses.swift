/// What was not understood, and whether anything is lost with it.
extension RubyEvaluator {
    /// Parts of a statement that are looked at; one with more counts as needed.
    private static let judgedNodes = 2000

    /// Tells that nothing came of a statement.
    func tellLost(_ unknown: RubyUnknown, _ statement: RubyNode, in scope: RubyScope) {
        let place = "\(statement.line) \(unknown.line) \(unknown.reason)"
        // Whoever fills the remarks learns no more by another one.
        guard remarks.count < RubyLimits.remarks else { return }
        let isLost = judged[place] ?? (unknown.isOfFile && !isNeedless || isNeeded([statement], in: scope))
        judged[place] = isLost
        if isLost {
            tell(.lost, unknown.reason, at: statement.line)
        } else {
            tell(.skipped, unknown.reason, at: unknown.line)
        }
    }

    /// Whether statements would make something of what the file is read for, as far as their words say.
    func isNeeded(_ statements: [RubyNode], in scope: RubyScope) -> Bool {
        var rest = statements
        // A function of the file has run, and has told what it lost itself: its arguments say nothing.
        if statements.count == 1, case .call(let call) = statements[0].kind, isOwn(call) {
            rest = call.block?.children ?? []
        }
        var functions: Set<String> = []
        var count = 0
        while let node = rest.popLast() {
            count += 1
            guard count <= Self.judgedNodes else { return true }
            switch node.kind {
            case .variable(let name): if isWanted(scope.value(of: name) ?? globals[name]) { return true }
            case .constant(let name, _): if isWanted(constants[name]) { return true }
            case .call(let call):
                if call.receiver == nil, isWanted(scope.value(of: call.name)) { return true }
                if case .constant(let name, nil)? = call.receiver?.kind, call.block != nil,
                    host.object(named: name)?.isWanted == true
                {
                    return true
                }
                if isOwn(call), functions.insert(call.name).inserted {
                    rest += self.functions[call.name]?.function.body ?? []
                }
            default: break
            }
            rest += node.children
        }
        return false
    }

    private func isWanted(_ value: RubyValue?) -> Bool {
        if case .object(let object)? = value { object.isWanted } else { false }
    }

    /// Whether a call is one of the file's own functions.
    private func isOwn(_ call: RubyNode.Call) -> Bool {
        guard functions[call.name] != nil else { return false }
        switch call.receiver?.kind {
        case nil, .selfObject, .constant: return true
        default: return false
        }
    }

    // MARK: - What nobody needs

    /// Whether a condition asks for something that nobody needs here.
    func mentionsNeedless(_ condition: RubyNode) -> Bool {
        let needless = host.needless
        var rest = [condition]
        var count = 0
        while let node = rest.popLast(), count < Self.judgedNodes {
            count += 1
            switch node.kind {
            case .call(let call) where needless.contains(call.name): return true
            case .constant(let name, _) where needless.contains(name): return true
            default: rest += node.children
            }
        }
        return false
    }

    /// Evaluates what a condition has decided.
    func needlessly(
        _ isNeedless: Bool, _ body: () throws(RubyJump) -> RubyValue
    ) throws(RubyJump) -> RubyValue {
        let before = self.isNeedless
        self.isNeedless = before || isNeedless
        defer { self.isNeedless = before }
        return try body()
    }
}
