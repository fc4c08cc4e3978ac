internal import CLibYAML

/// What a file may cost. Hostile files end at one of these limits, with bounded time and memory.
public enum YAMLLimits {
    /// In bytes.
    public static let fileSize = 1 << 20
    static let depth = 64
    /// With every alias counted in full.
    static let nodes = 100_000
}

/// Turns libyaml's events into ``Node``s, and refuses what YAML has but wander's files have no use for: tags,
/// several documents, directives, keys that are not text.
public struct YAMLReader {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let problems: Problems
    private let source: Int
    private var anchors: [String: Node] = [:]
    /// Anchors whose value is still being read.
    private var openAnchors: Set<String> = []
    private var nodeCount = 0

    /// A problem that ends the reading of this file.
    private struct Stop: Error {}

    /// The single document of a file, or nil if it is empty or could not be read; then `problems` says why.
    /// - Parameter bytes: What to read in place of the layer's own text.
    public static func read(_ source: Int, bytes: [UInt8]? = nil, problems: Problems) -> Node? {
        let text = problems.sources[source]
        guard TextCheck.isReadable(text, source: source, problems: problems) else { return nil }
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        defer { parser.deallocate() }
        guard yaml_parser_initialize(parser) == 1 else {
            problems.report("\(text.label): not enough memory to read it", at: nil)
            return nil
        }
        defer { yaml_parser_delete(parser) }
        return (bytes ?? text.bytes).withUnsafeBufferPointer { bytes in
            yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
            yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
            var reader = YAMLReader(parser: parser, problems: problems, source: source)
            return try? reader.document()
        }
    }

    private init(parser: UnsafeMutablePointer<yaml_parser_t>, problems: Problems, source: Int) {
        self.parser = parser
        self.problems = problems
        self.source = source
    }

    // MARK: - Events

    private enum Event {
        case streamStart, streamEnd, documentStart, documentEnd, sequenceEnd, mappingEnd
        case alias(String)
        case scalar(String, isPlain: Bool, anchor: String?)
        case sequenceStart(anchor: String?)
        case mappingStart(anchor: String?)
    }

    private mutating func next() throws(Stop) -> (event: Event, mark: Mark) {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw fail() }
        defer { yaml_event_delete(&event) }
        let start = event.start_mark
        let end = event.end_mark
        let length = start.line == end.line && end.column > start.column ? end.column - start.column : 1
        let mark = Mark(source: source, line: start.line + 1, column: start.column + 1, length: length)
        func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? { pointer.map { String(cString: $0) } }
        switch event.type {
        case YAML_STREAM_START_EVENT: return (.streamStart, mark)
        case YAML_DOCUMENT_START_EVENT: return (.documentStart, mark)
        case YAML_DOCUMENT_END_EVENT: return (.documentEnd, mark)
        case YAML_SEQUENCE_END_EVENT: return (.sequenceEnd, mark)
        case YAML_MAPPING_END_EVENT: return (.mappingEnd, mark)
        case YAML_ALIAS_EVENT: return (.alias(text(event.data.alias.anchor) ?? ""), mark)
        case YAML_SEQUENCE_START_EVENT:
            try refuseTag(text(event.data.sequence_start.tag), at: mark)
            return (.sequenceStart(anchor: text(event.data.sequence_start.anchor)), mark)
        case YAML_MAPPING_START_EVENT:
            try refuseTag(text(event.data.mapping_start.tag), at: mark)
            return (.mappingStart(anchor: text(event.data.mapping_start.anchor)), mark)
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            try refuseTag(text(scalar.tag), at: mark)
            let value = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            let isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
            return (.scalar(value, isPlain: isPlain, anchor: text(scalar.anchor)), mark)
        default: return (.streamEnd, mark)
        }
    }

    private func refuseTag(_ tag: String?, at mark: Mark) throws(Stop) {
        guard let tag else { return }
        problems.report(
            "the tag '\(tag.prefix(64))' is not allowed", hint: "Remove it: each key's own type decides.", at: mark)
        throw Stop()
    }

    private func fail() -> Stop {
        let state = parser.pointee
        let (message, hint) = YAMLMessage.explain(
            problem: state.problem.map { String(cString: $0) } ?? "not YAML",
            context: state.context.map { String(cString: $0) }, byte: byte(at: state.problem_mark),
            line: problems.sourceLine(Mark(source: source, line: state.problem_mark.line + 1, column: 1)))
        // What never ends is best shown where it starts.
        let atEnd = byte(at: state.problem_mark) == nil && state.problem_mark.column == 0
        let isOpen = state.context != nil && (message == YAMLMessage.unclosedQuote || atEnd)
        let place = isOpen ? state.context_mark : state.problem_mark
        let mark = Mark(source: source, line: place.line + 1, column: place.column + 1)
        problems.report(message, hint: hint, at: mark)
        return Stop()
    }

    private func byte(at mark: yaml_mark_t) -> UInt8? {
        // libyaml counts the index in characters; good enough for the ASCII that it stumbles over.
        problems.sourceLine(Mark(source: source, line: mark.line + 1, column: 1)).flatMap { line in
            let characters = Array(line.unicodeScalars)
            guard characters.indices.contains(mark.column) else { return nil }
            return UInt8(exactly: characters[mark.column].value)
        }
    }

    // MARK: - Nodes

    private mutating func document() throws(Stop) -> Node? {
        _ = try next()
        var (event, mark) = try next()
        if case .streamEnd = event { return nil }
        (event, mark) = try next()
        let root = try node(event, mark, depth: 0)
        _ = try next()
        (event, mark) = try next()
        guard case .streamEnd = event else {
            problems.report(
                "a second document starts here", hint: "Keep one document: remove the '---' line.", at: mark)
            throw Stop()
        }
        return root
    }

    private mutating func node(_ event: Event, _ mark: Mark, depth: Int) throws(Stop) -> Node {
        try count(1, at: mark)
        guard depth < YAMLLimits.depth else {
            problems.report("nested deeper than \(YAMLLimits.depth) levels", at: mark)
            throw Stop()
        }
        switch event {
        case .scalar(let text, let isPlain, let anchor):
            let node = Node(content: .scalar(text, isPlain: isPlain), mark: mark)
            if let anchor { anchors[anchor] = node }
            return node
        case .sequenceStart(let anchor):
            return try anchored(anchor) { reader throws(Stop) in try reader.sequence(mark, depth: depth) }
        case .mappingStart(let anchor):
            return try anchored(anchor) { reader throws(Stop) in try reader.mapping(mark, depth: depth) }
        case .alias(let name): return try alias(name, at: mark)
        default:
            problems.report("expected a value", at: mark)
            throw Stop()
        }
    }

    private mutating func count(_ added: Int, at mark: Mark) throws(Stop) {
        nodeCount += added
        guard nodeCount <= YAMLLimits.nodes else {
            problems.report("more than \(YAMLLimits.nodes) values, with every alias counted in full", at: mark)
            throw Stop()
        }
    }

    private mutating func anchored(
        _ anchor: String?, _ read: (inout YAMLReader) throws(Stop) -> Node
    ) throws(Stop) -> Node {
        guard let anchor else { return try read(&self) }
        openAnchors.insert(anchor)
        anchors[anchor] = nil
        let node = try read(&self)
        openAnchors.remove(anchor)
        anchors[anchor] = node
        return node
    }

    private mutating func alias(_ name: String, at mark: Mark) throws(Stop) -> Node {
        guard let node = anchors[name] else {
            let message =
                openAnchors.contains(name)
                ? "'*\(name.prefix(64))' is inside the value that it refers to"
                : "there is no anchor '&\(name.prefix(64))' above this line"
            problems.report(message, at: mark)
            throw Stop()
        }
        try count(node.size - 1, at: mark)
        return node
    }

    private mutating func sequence(_ start: Mark, depth: Int) throws(Stop) -> Node {
        var items: [Node] = []
        while true {
            let (event, mark) = try next()
            if case .sequenceEnd = event { return .sequence(items, at: start) }
            items.append(try node(event, mark, depth: depth + 1))
        }
    }

    private mutating func mapping(_ start: Mark, depth: Int) throws(Stop) -> Node {
        var builder = MappingBuilder()
        while true {
            let (event, mark) = try next()
            if case .mappingEnd = event {
                return .mapping(builder.entries(problems: problems), at: start)
            }
            let key = try node(event, mark, depth: depth + 1)
            guard let name = key.scalar else {
                problems.report("a key must be text", hint: "Quote values that contain '{', '[' or '? '.", at: mark)
                throw Stop()
            }
            let (valueEvent, valueMark) = try next()
            let value = try node(valueEvent, valueMark, depth: depth + 1)
            builder.add(name, isMerge: name == "<<" && key.isPlainScalar, value, at: mark, problems: problems)
        }
    }
}

extension Node {
    fileprivate var isPlainScalar: Bool { if case .scalar(_, isPlain: true) = content { true } else { false } }
}
