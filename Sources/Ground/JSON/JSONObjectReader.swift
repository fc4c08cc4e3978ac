/// Takes required and optional members out of a JSON object, naming the path of what is missing or of the wrong type.
public struct JSONObjectReader {
    public let value: JSONValue
    /// How errors name the object, such as `metadata.json`.
    public let path: String

    public init(_ value: JSONValue, path: String) throws(JSONError) {
        guard value.objectValue != nil else { throw .wrongType(path, expected: "an object") }
        self.value = value
        self.path = path
    }

    private func name(_ member: String) -> String { "\(path): \(member)" }

    /// Whether the member is present and not null.
    public func has(_ member: String) -> Bool { !(value[member] ?? .null).isNull }

    public func string(_ member: String) throws(JSONError) -> String {
        guard let text = try optionalString(member) else { throw .missing(name(member)) }
        return text
    }
    public func optionalString(_ member: String) throws(JSONError) -> String? {
        guard let found = value[member], !found.isNull else { return nil }
        guard let text = found.stringValue else { throw .wrongType(name(member), expected: "text") }
        return text
    }
    public func integer(_ member: String) throws(JSONError) -> Int64 {
        guard let number = try optionalInteger(member) else { throw .missing(name(member)) }
        return number
    }
    public func optionalInteger(_ member: String) throws(JSONError) -> Int64? {
        guard let found = value[member], !found.isNull else { return nil }
        guard let number = found.integerValue else { throw .wrongType(name(member), expected: "a whole number") }
        return number
    }
    public func bool(_ member: String, default fallback: Bool) throws(JSONError) -> Bool {
        guard let found = value[member], !found.isNull else { return fallback }
        guard let flag = found.boolValue else { throw .wrongType(name(member), expected: "true or false") }
        return flag
    }
    public func array(_ member: String) throws(JSONError) -> [JSONValue] {
        guard let found = value[member], !found.isNull else { return [] }
        guard let values = found.arrayValue else { throw .wrongType(name(member), expected: "a list") }
        return values
    }
    public func object(_ member: String) throws(JSONError) -> JSONObjectReader? {
        guard let found = value[member], !found.isNull else { return nil }
        return try JSONObjectReader(found, path: name(member))
    }
}
