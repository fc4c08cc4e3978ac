public import JSON

/// The JSON Schema of a Wanderfile, made from the same table of keys as the decoder: editors complete and check with
/// it.
public enum JSONSchema {
    /// - SeeAlso: JSON Schema draft 7, which the YAML language server understands best.
    public static let document: JSONValue = {
        var generator = Generator()
        let project = generator.schema(of: .project)
        return .object(
            [
                JSONMember("$schema", "http://json-schema.org/draft-07/schema#"), JSONMember("title", "Wanderfile"),
                JSONMember("description", "An environment of virtual machines for wander"),
            ] + (project.objectValue ?? []) + [
                JSONMember("definitions", .object(generator.definitions.sorted { $0.name < $1.name }))
            ])
    }()

    private struct Generator {
        var definitions: [JSONMember] = []
        private var known: Set<String> = []

        mutating func schema(of type: ObjectType) -> JSONValue {
            let properties = type.keys.map { key in
                JSONMember(key.name, described(schema(of: key.type), by: key))
            }
            var members = [
                JSONMember("type", "object"), JSONMember("properties", .object(properties)),
                JSONMember("additionalProperties", false),
            ]
            if type.hasExtensions { members.append(JSONMember("patternProperties", ["^x-": true])) }
            if !type.required.isEmpty { members.append(JSONMember("required", .strings(type.required))) }
            if !type.exactlyOne.isEmpty {
                var choices = type.exactlyOne.map { JSONValue.object([JSONMember("required", .strings([$0]))]) }
                if let alone = type.alone {
                    let others = type.exactlyOne.map { JSONMember($0, false) }
                    let properties = [JSONMember(alone, ["enum": [true]])] + others
                    choices.append(["required": .strings([alone]), "properties": .object(properties)])
                }
                members.append(JSONMember("oneOf", .array(choices)))
            }
            return .object(members)
        }

        private func described(_ schema: JSONValue, by key: KeyDefinition) -> JSONValue {
            var text = key.summary + "."
            if let details = key.details { text += " " + details }
            if let standard = key.standard { text += " Default: \(standard)." }
            if let note = key.standardNote { text += " Without it: \(note)." }
            // Beside '$ref' draft 7 ignores everything else, so a description needs a wrapper.
            let body = schema["$ref"] == nil ? schema.objectValue ?? [] : [JSONMember("allOf", [schema])]
            return .object([JSONMember("description", .string(text))] + body)
        }

        mutating func schema(of type: ValueType) -> JSONValue {
            switch type {
            case .scalar(let scalar): return scalar.schema
            case .list(let item, _, let limit):
                return ["type": "array", "items": schema(of: item), "maxItems": .integer(Int64(limit))]
            case .map(let names, let value, let listForm):
                let values: JSONValue
                if case .object = value {
                    values = ["anyOf": [schema(of: value), ["type": "null"]]]
                } else {
                    values = schema(of: value)
                }
                let map: JSONValue = [
                    "type": "object", "propertyNames": ["pattern": .string(names.pattern)],
                    "additionalProperties": values,
                ]
                guard listForm else { return map }
                return [
                    "anyOf": [["type": "array", "items": ["type": "string", "pattern": .string(names.pattern)]], map]
                ]
            case .object(let object, let shorthand):
                let long = reference(to: object)
                guard let shorthand, let key = object.key(shorthand) else { return long }
                return ["anyOf": [schema(of: key.type), long]]
            case .either(let scalar, let object): return ["anyOf": [scalar.schema, reference(to: object)]]
            case .forms(let other, let list): return ["anyOf": [schema(of: other), schema(of: list)]]
            case .rows: return RowTable.schema
            case .free: return [:]
            }
        }

        private mutating func reference(to type: ObjectType) -> JSONValue {
            let name = type.identifier
            if known.insert(name).inserted {
                let schema = schema(of: type)
                definitions.append(JSONMember(name, schema))
            }
            return ["$ref": .string("#/definitions/\(name)")]
        }
    }
}

extension ObjectType {
    /// `a network of a machine` as `network-of-a-machine`.
    fileprivate var identifier: String {
        let words = title.split(separator: " ").map { $0.filter { $0 != "'" } }
        return (words.first == "a" ? words.dropFirst() : words[...]).joined(separator: "-")
    }
}
