import JSON
import NetworkAddress
import YAML

/// A value that fits its type, with the place that it comes from.
struct Value: Sendable {
    struct MapEntry: Sendable {
        var name: String
        var mark: Mark
        var value: Value
    }

    indirect enum Content: Sendable {
        case scalar(Scalar)
        case list([Value])
        case map([MapEntry])
        case record(Record)
        case free(JSONValue)
    }

    var content: Content
    var mark: Mark

    var scalar: Scalar? { if case .scalar(let scalar) = content { scalar } else { nil } }
    var list: [Value]? { if case .list(let values) = content { values } else { nil } }
    var map: [MapEntry]? { if case .map(let entries) = content { entries } else { nil } }
    var record: Record? { if case .record(let record) = content { record } else { nil } }
    var free: JSONValue? { if case .free(let value) = content { value } else { nil } }
    var text: String? { if case .text(let text) = scalar { text } else { nil } }
}

/// The keys of a map whose values fit their types; keys without a value have their default.
struct Record: Sendable {
    var values: [String: Value]
    var mark: Mark

    /// Whether its condition does not hold.
    var isLeftOut: Bool { flag("if") == false }

    subscript(key: String) -> Value? { values[key] }
    func text(_ key: String) -> String? { values[key]?.text }
    func integer(_ key: String) -> Int? { if case .integer(let value) = values[key]?.scalar { value } else { nil } }
    func flag(_ key: String) -> Bool? { if case .flag(let value) = values[key]?.scalar { value } else { nil } }
    func bytes(_ key: String) -> UInt64? { if case .bytes(let value) = values[key]?.scalar { value } else { nil } }
    func address(_ key: String) -> IPv4Address? {
        if case .address(let value) = values[key]?.scalar { value } else { nil }
    }
    func subnet(_ key: String) -> IPv4Subnet? {
        if case .subnet(let value) = values[key]?.scalar { value } else { nil }
    }
    func versions(_ key: String) -> VersionRange? {
        if case .versions(let value) = values[key]?.scalar { value } else { nil }
    }
    func portNumber(_ key: String) -> UInt16? { integer(key).flatMap { UInt16(exactly: $0) } }
    /// nil also for `never`.
    func duration(_ key: String) -> Duration? {
        if case .duration(let value) = values[key]?.scalar { value } else { nil }
    }
    func choice<Choice: RawRepresentable>(_ key: String) -> Choice? where Choice.RawValue == String {
        text(key).flatMap(Choice.init(rawValue:))
    }
    func list(_ key: String) -> [Value] { values[key]?.list ?? [] }
    func map(_ key: String) -> [Value.MapEntry] { values[key]?.map ?? [] }
    func record(_ key: String) -> Record? { values[key]?.record }
    func texts(_ key: String) -> [String: String] {
        Dictionary(map(key).compactMap { entry in entry.value.text.map { (entry.name, $0) } }, uniquingKeysWith: { $1 })
    }
}
