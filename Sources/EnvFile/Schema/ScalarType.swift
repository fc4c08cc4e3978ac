import JSON
import NetworkAddress
import YAML

/// A value of a key, once its text has been understood.
enum Scalar: Hashable, Sendable {
    case text(String)
    case integer(Int)
    case flag(Bool)
    case bytes(UInt64)
    /// nil: `never`.
    case duration(Duration?)
    case ports(PortRange)
    case hostPorts(HostPorts)
    case share(ShareText)
    case address(IPv4Address)
    case subnet(IPv4Subnet)
    case versions(VersionRange)
}

/// What the text of a value may be: how it is understood, how messages and the JSON Schema describe it.
struct ScalarType: Sendable {
    enum Outcome: Sendable {
        case value(Scalar)
        /// Not what is expected. The hint says what would be.
        case wrong(hint: String? = nil)
        /// The same, where it is clear what was meant.
        case other(String)
        /// A problem that needs its own words.
        case problem(String, hint: String? = nil)
    }

    /// Completes "must be ...", such as `a size such as 4GiB`.
    var expected: String
    /// Of a size or a duration, the least and the most: completes "must be ...".
    var bounds: String?
    /// The JSON Schema of the value as YAML's readers see it: `8` is a number there, `8GiB` text.
    var schema: JSONValue
    /// Whether `${NAME}` is filled in.
    var interpolates = true
    /// Whether line breaks may stand in it.
    var isMultiline = false
    var parse: @Sendable (String) -> Outcome
}

extension ScalarType {
    /// Any text on one line.
    static let text = ScalarType(expected: "text on one line", schema: SchemaFragment.text) { .value(.text($0)) }

    /// Text that may go over several lines.
    static let paragraph = ScalarType(expected: "text", schema: SchemaFragment.text, isMultiline: true) {
        .value(.text($0))
    }

    /// A script or a file's content: left exactly as it is, since `$` means something in there.
    static let body = ScalarType(
        expected: "text, best as a block below '|'", schema: SchemaFragment.text, interpolates: false, isMultiline: true
    ) { $0.isEmpty ? .problem("is empty") : .value(.text($0)) }

    static let content = ScalarType(
        expected: "text, best as a block below '|'", schema: SchemaFragment.text, interpolates: false, isMultiline: true
    ) { .value(.text($0)) }

    static let flag = ScalarType(expected: "true or false", schema: ["type": "boolean"]) { text in
        switch text {
        case "true": .value(.flag(true))
        case "false": .value(.flag(false))
        case "yes", "on", "Yes", "On", "True", "TRUE", "y", "1": .other("true")
        case "no", "off", "No", "Off", "False", "FALSE", "n", "0": .other("false")
        default: .wrong()
        }
    }

    static func integer(_ range: ClosedRange<Int>) -> ScalarType {
        ScalarType(
            expected: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            schema: SchemaFragment.integer(range)
        ) { text in
            guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), text == "0" || !text.hasPrefix("0"),
                let value = Int(text), range.contains(value)
            else { return .wrong() }
            return .value(.integer(value))
        }
    }

    static let portNumber = integer(1...65_535)

    /// - Parameters:
    ///   - others: What other tools call some of them.
    ///   - words: What to say of values that have no other name here.
    ///   - hint: The same for values of a kind.
    static func choice(
        _ values: [String], others: [String: String] = [:], words: [String: String] = [:],
        hint: @escaping @Sendable (String) -> String? = { _ in nil }
    ) -> ScalarType {
        ScalarType(
            expected: "one of \(values.joined(separator: ", "))", schema: ["enum": .strings(values)]
        ) { text in
            if values.contains(text) { return .value(.text(text)) }
            if let other = others[text] { return .other(other) }
            return .wrong(hint: words[text] ?? hint(text) ?? Suggestion.didYouMean(text, in: values))
        }
    }

    static func choice<Choice: RawRepresentable & CaseIterable>(
        _: Choice.Type, others: [String: String] = [:], words: [String: String] = [:],
        hint: @escaping @Sendable (String) -> String? = { _ in nil }
    ) -> ScalarType where Choice.RawValue == String {
        choice(Choice.allCases.map(\.rawValue), others: others, words: words, hint: hint)
    }

    /// Sizes of whole MiB.
    static func size(_ range: ClosedRange<UInt64>) -> ScalarType {
        let bounds = "from \(SizeText.format(range.lowerBound)) to \(SizeText.format(range.upperBound))"
        return ScalarType(
            expected: "a size such as 4GiB", bounds: bounds,
            schema: SchemaFragment.pattern(#"[0-9]+(\.[0-9]{1,3})? ?([KMGT]|[KMGT]iB)"#)
        ) { text in
            guard let bytes = SizeText.parse(text) else { return .wrong(hint: sizeHint(text)) }
            guard range.contains(bytes) else { return .problem("must be \(bounds), not \(text)") }
            guard bytes % (1 << 20) == 0 else { return .problem("must be a whole number of MiB, not \(text)") }
            return .value(.bytes(bytes))
        }
    }

    private static func sizeHint(_ text: String) -> String? {
        if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return "A size needs a unit: write \(text)\(text.utf8.count < 3 ? "GiB" : "MiB")."
        }
        let decimal = ["KB", "MB", "GB", "TB"].first { text.uppercased().hasSuffix($0) }
        guard let decimal else { return "Units are KiB, MiB, GiB and TiB; K, M, G and T mean the same." }
        return "Write \(text.dropLast(2))\(decimal.prefix(1))iB: all units are binary."
    }

    static func duration(_ range: ClosedRange<Duration>, never: Bool = false) -> ScalarType {
        let ending = never ? " or never" : ""
        let bounds = "from \(DurationText.format(range.lowerBound)) to \(DurationText.format(range.upperBound))"
        return ScalarType(
            expected: "a duration such as 30s or 5m\(ending)", bounds: bounds,
            schema: SchemaFragment.pattern(#"([0-9]+(ms|s|m|h|d))+"# + (never ? "|never" : ""))
        ) { text in
            if never, text == "never" { return .value(.duration(nil)) }
            guard let duration = DurationText.parse(text) else {
                let isNumber = !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
                return .wrong(hint: isNumber ? "A duration needs a unit: write \(text)s." : nil)
            }
            guard range.contains(duration) else { return .problem("must be \(bounds), not \(text)") }
            return .value(.duration(duration))
        }
    }
}
