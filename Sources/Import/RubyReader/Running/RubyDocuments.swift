import JSON

/// `YAML` and `JSON`.
final class RubyDocuments: RubyObject {
    let title: String
    init(title: String) { self.title = title }

    func answer(_ call: RubyCall, in evaluator: RubyEvaluator) throws(RubyJump) -> RubyValue? {
        let first = call.arguments.first ?? .null
        if let unknown = first.unknown { return .unknown(unknown) }
        var text: String?
        switch (call.name, first) {
        case ("load_file", .string(let path)), ("safe_load_file", .string(let path)),
            ("unsafe_load_file", .string(let path)),
            ("load_stream", .string(let path)):
            let plain = RubyPlaceholder.withoutVariables(path)
            guard let bytes = evaluator.host.read(plain) else {
                return evaluator.lost("the file '\(plain)' was not read", at: call.line)
            }
            text = RubyLexer.cleaned(bytes)
        case ("load", .string(let content)), ("safe_load", .string(let content)), ("parse", .string(let content)),
            ("unsafe_load", .string(let content)), ("parse!", .string(let content)):
            text = content
        default: break
        }
        if case .object(let object) = first, ["load", "safe_load", "parse"].contains(call.name) {
            text = try object.answer(RubyCall("read", line: call.line), in: evaluator)?.symbolOrText
        }
        guard let text else { return nil }
        let parsed =
            title == "JSON"
            ? (try? JSONParser.parse(text)).map { Self.value($0) } : evaluator.host.yaml(Array(text.utf8))
        guard let value = parsed else {
            return evaluator.lost("the settings could not be read as \(title)", at: call.line)
        }
        try evaluator.count(Self.size(value, depth: 0))
        let isByName = call.options?.named("symbolize_names") ?? .null
        if case .flag(true) = isByName { return Self.symbolized(value, depth: 0) }
        return value
    }

    private static func value(_ json: JSONValue) -> RubyValue {
        switch json {
        case .null: return .null
        case .bool(let flag): return .flag(flag)
        case .string(let text): return .string(RubyPlaceholder.removed(from: text))
        case .array(let items): return .list(RubyList(items.map { value($0) }))
        case .object(let members):
            let table = RubyTable()
            for member in members { table[.string(member.name)] = value(member.value) }
            return .table(table)
        default: return json.integerValue.map { .integer($0) } ?? .decimal(Double(json.compact) ?? 0)
        }
    }

    private static func size(_ value: RubyValue, depth: Int) -> Int {
        guard depth < 64 else { return 1 }
        switch value {
        case .list(let list): return list.items.reduce(1) { $0 + size($1, depth: depth + 1) }
        case .table(let table): return table.values.reduce(1) { $0 + size($1, depth: depth + 1) }
        default: return 1
        }
    }

    private static func symbolized(_ value: RubyValue, depth: Int) -> RubyValue {
        guard depth < 64 else { return value }
        switch value {
        case .list(let list): return .list(RubyList(list.items.map { symbolized($0, depth: depth + 1) }))
        case .table(let table):
            let result = RubyTable()
            for (key, value) in table.pairs {
                result[key.symbolOrText.map { .symbol($0) } ?? key] = symbolized(value, depth: depth + 1)
            }
            return .table(result)
        default: return value
        }
    }
}
