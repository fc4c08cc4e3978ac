import JSON

/// As much of JSON Schema (draft 7) as the Wanderfile's schema uses, written from the standard.
struct SchemaValidator {
    let root: JSONValue

    /// nil if `value` is valid; otherwise where it is not.
    func failure(_ value: JSONValue, _ schema: JSONValue, at path: String = "$") throws -> String? {
        if schema == true { return nil }
        if schema == false { return "\(path): nothing may stand there" }
        guard let members = schema.objectValue else { return "\(path): no schema" }
        for member in members {
            if let failure = try failure(value, member.name, member.value, in: schema, at: path) { return failure }
        }
        return nil
    }

    private func failure(
        _ value: JSONValue, _ keyword: String, _ argument: JSONValue, in schema: JSONValue, at path: String
    ) throws -> String? {
        switch keyword {
        case "$ref":
            let name = argument.stringValue?.split(separator: "/").last.map(String.init) ?? ""
            guard let target = root["definitions"]?[name] else { return "\(path): no definition \(name)" }
            return try failure(value, target, at: path)
        case "type":
            let names = argument.arrayValue?.compactMap(\.stringValue) ?? [argument.stringValue ?? ""]
            return names.contains { $0 == typeName(value) || ($0 == "number" && typeName(value) == "integer") }
                ? nil : "\(path): type \(typeName(value)), not \(names)"
        case "enum": return argument.arrayValue?.contains(value) == true ? nil : "\(path): not in the enumeration"
        case "pattern":
            guard let text = value.stringValue else { return nil }
            return try text.contains(Regex(argument.stringValue ?? ""))
                ? nil : "\(path): '\(text)' against \(argument.compact)"
        case "minLength":
            return (value.stringValue?.count ?? .max) < argument.integerValue ?? 0 ? "\(path): too short" : nil
        case "minimum":
            return value.integerValue.map { $0 >= argument.integerValue ?? .min } ?? true ? nil : "\(path): too small"
        case "maximum":
            return value.integerValue.map { $0 <= argument.integerValue ?? .max } ?? true ? nil : "\(path): too large"
        case "maxItems": return (value.arrayValue?.count ?? 0) > argument.integerValue ?? 0 ? "\(path): too long" : nil
        case "items":
            for (index, item) in (value.arrayValue ?? []).enumerated() {
                if let failure = try failure(item, argument, at: "\(path)[\(index)]") { return failure }
            }
        case "required":
            for name in argument.arrayValue?.compactMap(\.stringValue) ?? []
            where value.objectValue != nil && value[name] == nil {
                return "\(path): no \(name)"
            }
        case "allOf":
            for inner in argument.arrayValue ?? [] {
                if let failure = try failure(value, inner, at: path) { return failure }
            }
        case "anyOf", "oneOf":
            let failures = try (argument.arrayValue ?? []).map { try failure(value, $0, at: path) }
            let count = failures.count { $0 == nil }
            if keyword == "oneOf" ? count != 1 : count == 0 {
                return failures.compactMap(\.self).last ?? "\(path): several fit"
            }
        case "propertyNames":
            for member in value.objectValue ?? [] {
                if let failure = try failure(.string(member.name), argument, at: path) { return failure }
            }
        case "properties", "additionalProperties", "patternProperties":
            // Together they decide about each member; looked at once.
            guard keyword == "additionalProperties" || schema["additionalProperties"] == nil else { return nil }
            return try membersFailure(value, schema, at: path)
        case "$schema", "title", "description", "definitions": return nil
        default: return "\(path): the test knows no '\(keyword)'"
        }
        return nil
    }

    private func membersFailure(_ value: JSONValue, _ schema: JSONValue, at path: String) throws -> String? {
        for member in value.objectValue ?? [] {
            let inner = "\(path).\(member.name)"
            if let known = schema["properties"]?[member.name] {
                if let failure = try failure(member.value, known, at: inner) { return failure }
            } else if member.name.hasPrefix("x-"), schema["patternProperties"] != nil {
                continue
            } else if let rest = schema["additionalProperties"] {
                if rest == false { return "\(inner): unknown" }
                if let failure = try failure(member.value, rest, at: inner) { return failure }
            }
        }
        return nil
    }

    private func typeName(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}
