import JSON
public import Reporting
import YAML

/// The environment as a Wanderfile: every default filled in, every variable too. Reading it gives the same environment.
struct ConfigurationText {
    /// Where each value comes from; nil: do not say.
    let origin: ((String) -> String)?
    private(set) var text = ""

    init(origin: ((String) -> String)?) { self.origin = origin }

    mutating func write(_ value: JSONValue, as type: ObjectType) {
        for member in value.objectValue ?? [] {
            guard let key = type.key(member.name) else { continue }
            write(member.name, member.value, as: key.type, path: member.name, indentation: 0)
        }
    }

    /// Writes an object that is no Wanderfile.
    mutating func write(_ value: JSONValue) {
        for member in value.objectValue ?? [] {
            write(member.name, member.value, as: .scalar(.content), path: member.name, indentation: 0)
        }
    }

    private mutating func write(
        _ name: String, _ value: JSONValue, as type: ValueType, path: String, indentation: Int, lead: String? = nil
    ) {
        let start = (lead ?? String(repeating: " ", count: indentation)) + YAMLText.scalar(name) + ":"
        switch value {
        case .object(let members):
            guard !members.isEmpty else { return line(start + " {}") }
            line(start)
            writeMembers(members, of: type, path: path, indentation: indentation + 2)
        case .array(let items):
            guard !items.isEmpty else { return line(start + " []") }
            line(start)
            for (index, item) in items.enumerated() {
                writeItem(item, as: itemType(type), path: "\(path)[\(index)]", indentation: indentation + 2)
            }
        default: writeScalar(value, as: type, path: path, start: start, indentation: indentation)
        }
    }

    private mutating func writeMembers(
        _ members: [JSONMember], of type: ValueType, path: String, indentation: Int, lead: String? = nil
    ) {
        for (index, member) in members.enumerated() {
            write(
                member.name, member.value, as: memberType(member.name, of: type), path: "\(path).\(member.name)",
                indentation: indentation, lead: index == 0 ? lead : nil)
        }
    }

    private mutating func writeItem(_ item: JSONValue, as type: ValueType, path: String, indentation: Int) {
        let lead = String(repeating: " ", count: indentation) + "- "
        if let members = item.objectValue {
            writeMembers(members, of: type, path: path, indentation: indentation + 2, lead: lead)
        } else {
            writeScalar(item, as: type, path: path, start: String(lead.dropLast()), indentation: indentation)
        }
    }

    private mutating func writeScalar(
        _ value: JSONValue, as type: ValueType, path: String, start: String, indentation: Int
    ) {
        let comment = origin.map { "  # \($0(path))" } ?? ""
        guard let string = value.stringValue else { return line(start + " " + value.compact + comment) }
        let escaped = interpolates(type) ? YAMLText.escapingVariables(string) : string
        if let (header, lines) = YAMLText.block(escaped) {
            line("\(start) \(header)\(comment)")
            let inner = String(repeating: " ", count: indentation + 2)
            for content in lines { line(content.isEmpty ? "" : inner + content) }
        } else {
            line("\(start) \(YAMLText.scalar(escaped))\(comment)")
        }
    }

    private mutating func line(_ content: String) { text += content + "\n" }

    private func interpolates(_ type: ValueType) -> Bool {
        if case .scalar(let scalar) = type { scalar.interpolates } else { true }
    }

    private func itemType(_ type: ValueType) -> ValueType {
        switch type {
        case .list(let item, _, _): item
        case .forms(_, let list): itemType(list)
        default: type
        }
    }

    private func memberType(_ name: String, of type: ValueType) -> ValueType {
        switch type {
        case .object(let object, _), .either(_, let object): object.key(name)?.type ?? type
        case .map(_, let value, _): value
        case .forms(let other, _): memberType(name, of: other)
        default: type
        }
    }
}

extension Environment {
    /// The environment as a Wanderfile with every value filled in.
    /// - Parameter origins: Whether each value has a comment that says which line of which file it comes from.
    public func configurationText(origins shown: Bool) -> String {
        var writer = ConfigurationText(origin: shown ? { origin(of: $0).map(\.description) ?? "built-in" } : nil)
        writer.write(canonicalJSON, as: .project)
        return writer.text
    }

    /// Where the value at a path of ``canonicalJSON`` comes from; nil: it is built in.
    public func origin(of path: String) -> SourceLocation? { place(of: path).map { texts[$0.source].location(of: $0) } }

    private func place(of path: String) -> Mark? {
        if let exact = places[path] { return exact }
        // A short form such as `8080:80` gives all members of its long form.
        return path.lastIndex(of: ".").flatMap { places[String(path[..<$0])] }
    }

    /// A problem of the value at a path of ``canonicalJSON``, shown as any other: with its line and a caret.
    func problem(_ message: String, hint: String?, at path: String) -> Diagnostic {
        guard let mark = place(of: path) else { return Diagnostic(.error, message, hint: hint) }
        let text = texts[mark.source]
        let starts = text.lineStarts
        let line = starts.indices.contains(mark.line - 1) ? text.line(from: starts[mark.line - 1]) : nil
        return Diagnostic(
            .error, message, hint: hint, at: text.location(of: mark), sourceLine: line, length: mark.length)
    }
}
