import YAML

/// Reads nodes as the values that the schema says they are, and reports whatever does not fit.
struct ValueReader {
    /// Entries of a map whose names the user chooses.
    static let mapLimit = 1000

    let problems: Problems
    var variables: Variables
    /// Where single values come from, by path.
    var origins: [String: Mark] = [:]
    /// The same for lists and maps with names.
    var containers: [String: Mark] = [:]
    /// Paths of values that stand for a whole map: messages name the map's key, which is what was written.
    var short: Set<String> = []

    /// nil if the node is empty or does not fit; the latter has then been reported.
    mutating func read(_ node: Node, as type: ValueType, path: String) -> Value? {
        switch type {
        case .scalar(let scalar): return read(node, as: scalar, path: path)
        case .list(let item, _, let limit): return readList(node, of: item, limit: limit, path: path)
        case .map(let names, let value, let listForm):
            return readMap(Normalizer.normalize(node, as: type), names, of: value, listForm: listForm, path: path)
        case .object(let object, let shorthand):
            let long = Normalizer.normalize(node, as: type)
            if let shorthand, node.mapping == nil { short.insert("\(path).\(shorthand)") }
            guard let entries = long.mapping else {
                guard !node.isNull else { return nil }
                let single = shorthand == nil ? "" : ", or a single value for '\(shorthand ?? "")'"
                problems.report(
                    "\(quoted(path)) must be a map\(single), not \(node.kindName)", hint: object.hint(for: node),
                    at: node.mark)
                return nil
            }
            return record(entries, mark: node.mark, as: object, path: path).map {
                Value(content: .record($0), mark: node.mark)
            }
        case .either(let scalar, let object):
            return read(node, as: node.mapping == nil ? .scalar(scalar) : .object(object), path: path)
        case .forms: return read(node, as: type.form(of: node), path: path)
        case .rows: return node.isNull ? nil : readRows(node, path: path)
        case .free: return readFree(node, path: path)
        }
    }

    /// For lists that have more items once they have been carried out, so that numbers no longer tell which is which:
    /// all items then come from where the list stands.
    mutating func attributeItems(of path: String, count: Int, keys: [KeyDefinition]) {
        for index in 0..<count {
            origins["\(path)[\(index)]"] = containers[path]
            for key in keys { origins["\(path)[\(index)].\(key.name)"] = nil }
        }
    }

    private func quoted(_ path: String) -> String {
        "'\(path.split(separator: ".").dropLast(short.contains(path) ? 1 : 0).last ?? "")'"
    }

    private mutating func read(_ node: Node, as type: ScalarType, path: String) -> Value? {
        guard let text = node.scalar else {
            problems.report("\(quoted(path)) must be \(type.expected), not \(node.kindName)", at: node.mark)
            return nil
        }
        guard !node.isNull else { return nil }
        origins[path] = node.mark
        var value = text
        if type.interpolates {
            guard let filled = variables.fill(text, at: node.mark, problems: problems) else { return nil }
            value = filled
        }
        guard !value.unicodeScalars.contains("\0") else {
            problems.report("\(quoted(path)) holds a zero byte", at: node.mark)
            return nil
        }
        guard type.isMultiline || !value.utf8.contains(0x0a) else {
            problems.report("\(quoted(path)) must be on one line", at: node.mark)
            return nil
        }
        switch type.parse(value) {
        case .value(let scalar): return Value(content: .scalar(scalar), mark: node.mark)
        case .wrong(let hint):
            let shown = value.isEmpty ? "empty" : "'\(value.prefix(64))'"
            problems.report("\(quoted(path)) must be \(type.expected), not \(shown)", hint: hint, at: node.mark)
        case .other(let form):
            problems.report(
                "\(quoted(path)) must be \(type.expected), not '\(value.prefix(64))'",
                hint: "Write '\(quoted(path).dropFirst().dropLast()): \(form)'.", at: node.mark)
        case .problem(let message, let hint): problems.report("\(quoted(path)) \(message)", hint: hint, at: node.mark)
        }
        return nil
    }

    private mutating func readList(_ node: Node, of item: ValueType, limit: Int, path: String) -> Value? {
        guard let items = node.sequence else {
            guard !node.isNull else { return nil }
            let line = path.hasSuffix("ports") ? ForeignValue.ports(node) : nil
            problems.report(
                "\(quoted(path)) must be a list, not \(node.kindName)",
                hint: line.map { "Write '\($0)'." } ?? "Write '- ' before each item, or '[a, b]'.", at: node.mark)
            return nil
        }
        guard items.count <= limit else {
            problems.report("\(quoted(path)) has more than \(limit) items", at: node.mark)
            return nil
        }
        containers[path] = node.mark
        var values: [Value] = []
        // Items that their condition leaves out have no number in the definition.
        var position = 0
        for element in items {
            if element.isNull {
                problems.report("an item of \(quoted(path)) is empty", at: element.mark)
            } else if let value = read(element, as: item, path: "\(path)[\(position)]") {
                values.append(value)
                if value.record?.isLeftOut == true { continue }
            }
            position += 1
        }
        return Value(content: .list(values), mark: node.mark)
    }

    private mutating func readMap(
        _ node: Node, _ names: MapNames, of type: ValueType, listForm: Bool, path: String
    ) -> Value? {
        guard let entries = node.mapping else {
            guard !node.isNull else { return nil }
            let expected = listForm ? "a list of names or a map" : "a map"
            problems.report("\(quoted(path)) must be \(expected), not \(node.kindName)", at: node.mark)
            return nil
        }
        guard entries.count <= Self.mapLimit else {
            problems.report("\(quoted(path)) has more than \(Self.mapLimit) entries", at: node.mark)
            return nil
        }
        containers[path] = node.mark
        var result: [Value.MapEntry] = []
        for entry in entries {
            guard names.isValid(entry.name) else {
                problems.report(
                    "'\(entry.name.prefix(64))' in \(quoted(path)) must be \(names.expected)", at: entry.mark)
                continue
            }
            var value = entry.value
            if value.isNull, case .object = type { value = .mapping([], at: entry.mark) }
            containers["\(path).\(entry.name)"] = entry.mark
            if let read = read(value, as: type, path: "\(path).\(entry.name)") {
                result.append(Value.MapEntry(name: entry.name, mark: entry.mark, value: read))
            }
        }
        return Value(content: .map(result), mark: node.mark)
    }

    /// nil if a key that must be there is not. What its own condition leaves out has nothing but that.
    mutating func record(_ entries: [Node.Entry], mark: Mark, as type: ObjectType, path: String) -> Record? {
        var values: [String: Value] = [:]
        var given: Set<String> = []
        // Whether it has been said what was meant, so that nothing that is missing needs to be named.
        var isExplained = false
        let prefix = path.isEmpty ? "" : path + "."
        if let condition = entries.first(where: { $0.name == "if" })?.value, type.key("if") != nil, !condition.isNull,
            holds(condition, path: prefix + "if") == false
        {
            return Record(values: ["if": Value(content: .scalar(.flag(false)), mark: condition.mark)], mark: mark)
        }
        for entry in entries where type.key("if") == nil || entry.name != "if" {
            guard let key = type.key(entry.name) else {
                UnknownKey.report(entry, in: type, problems: problems)
                isExplained = isExplained || type.foreign[entry.name] != nil
                continue
            }
            guard !entry.value.isNull else { continue }
            if let text = entry.value.scalar, let foreign = type.foreignValues[key.name], let hint = foreign.hints[text]
            {
                problems.report(foreign.message, hint: hint, at: entry.value.mark)
                isExplained = true
                continue
            }
            given.insert(key.name)
            if let value = read(entry.value, as: key.type, path: prefix + key.name) { values[key.name] = value }
        }
        addStandards(to: &values, given: given, of: type)
        let isAlone = type.alone.flatMap { values[$0] }?.scalar == .flag(true)
        // What is wrong with its value has been said.
        if let alone = type.alone, given.contains(alone), values[alone] == nil { isExplained = true }
        let isComplete = checkPresence(
            given, isAlone: isAlone, isExplained: isExplained, entries: entries, mark: mark, of: type)
        return isComplete ? Record(values: values, mark: mark) : nil
    }

    /// nil if there is no telling; then it has been reported.
    private mutating func holds(_ node: Node, path: String) -> Bool? {
        guard let text = read(node, as: .scalar(.condition), path: path)?.text, let condition = KeyCondition(text)
        else {
            return nil
        }
        return condition.holds(&variables, at: node.mark, problems: problems)
    }

    private func checkPresence(
        _ given: Set<String>, isAlone: Bool, isExplained: Bool, entries: [Node.Entry], mark: Mark, of type: ObjectType
    ) -> Bool {
        let missing = type.required.filter { !given.contains($0) }
        guard missing.isEmpty || !isExplained else { return false }
        for name in missing { problems.report("\(type.title) lacks the key '\(name)'", at: mark) }
        guard !type.exactlyOne.isEmpty else { return missing.isEmpty }
        let present = entries.filter { type.exactlyOne.contains($0.name) && given.contains($0.name) }
        if present.count == 1 || present.isEmpty && isAlone { return missing.isEmpty }
        let choices = type.exactlyOne.map { "'\($0)'" }.joined(separator: ", ")
        if present.isEmpty {
            guard !isExplained else { return false }
            let alone = type.alone.map { ", or '\($0): true'" } ?? ""
            problems.report("\(type.title) needs one of \(choices)\(alone)", at: mark)
        } else {
            let names = present.map { "'\($0.name)'" }.joined(separator: " and ")
            problems.report("\(type.title) takes only one of \(choices); this one has \(names)", at: present[1].mark)
        }
        return false
    }

    /// Standard values are written in the schema as text, and read like everything else.
    private func addStandards(to values: inout [String: Value], given: Set<String>, of type: ObjectType) {
        for key in type.keys where !given.contains(key.name) {
            switch key.type {
            case .scalar(let scalar):
                guard let standard = key.standard, case .value(let value) = scalar.parse(standard) else { continue }
                values[key.name] = Value(content: .scalar(value), mark: .builtIn)
            case .object(let object, _)
            where object.required.isEmpty && object.exactlyOne.isEmpty && object.title != "a machine":
                var inner: [String: Value] = [:]
                addStandards(to: &inner, given: [], of: object)
                values[key.name] = Value(content: .record(Record(values: inner, mark: .builtIn)), mark: .builtIn)
            default: continue
            }
        }
    }
}

extension Mark {
    /// The mark of values that no layer has.
    static let builtIn = Mark(source: 0, line: 1, column: 1)
}
