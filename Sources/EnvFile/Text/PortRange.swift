import JSON
import NetworkAddress

/// Forwarded ports as a Wanderfile writes them: `8080:80`, `127.0.0.1:5353:53/udp`, `8000-8010:8000-8010`, `80`.
struct PortRange: Hashable, Sendable {
    var bind: IPv4Address?
    /// nil: any free ports.
    var host: ClosedRange<UInt16>?
    var guest: ClosedRange<UInt16>
    var transport: Transport

    enum Failure: Error, Equatable {
        case syntax
        case address(String)
        case number(String)
        case lengths
        case transport(String)
    }

    init(parsing text: String) throws(Failure) {
        var rest = text[...]
        transport = .tcp
        if let slash = rest.lastIndex(of: "/") {
            let name = String(rest[rest.index(after: slash)...])
            guard let known = Transport(rawValue: name) else { throw .transport(name) }
            transport = known
            rest = rest[..<slash]
        }
        var parts = rest.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...3).contains(parts.count) else { throw .syntax }
        if parts.count == 3 {
            let name = parts.removeFirst()
            guard let address = IPv4Address(name) else { throw .address(String(name)) }
            bind = address
        }
        guest = try Self.range(parts[parts.count - 1])
        if parts.count == 2 {
            let range = try Self.range(parts[0])
            guard range.count == guest.count else { throw .lengths }
            host = range
        }
    }

    private static func range(_ text: Substring) throws(Failure) -> ClosedRange<UInt16> {
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        var numbers: [UInt16] = []
        for end in ends {
            guard !end.isEmpty, end.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { throw .syntax }
            guard let number = UInt16(end), number > 0 else { throw .number(String(end)) }
            numbers.append(number)
        }
        guard let first = numbers.first, let last = numbers.last, first <= last else { throw .syntax }
        return first...last
    }
}

extension ScalarType {
    static let port = ScalarType(
        expected: "a port such as '8080:80'",
        schema: [
            "anyOf": [
                ["type": "integer", "minimum": 1, "maximum": 65_535],
                SchemaFragment.pattern(#"(([0-9.]+:)?[0-9]+(-[0-9]+)?:)?[0-9]+(-[0-9]+)?(/(tcp|udp))?"#),
            ]
        ]
    ) { text in
        do throws(PortRange.Failure) {
            return .value(.ports(try PortRange(parsing: text)))
        } catch {
            return switch error {
            case .syntax: .wrong(hint: "Forms: 'host:guest', 'address:host:guest/udp', '8000-8010:8000-8010', 'guest'.")
            case .address(let name):
                .problem("has '\(name)' where the host's IPv4 address belongs", hint: "Write '127.0.0.1' or '0.0.0.0'.")
            case .number(let number): .problem("has the port \(number); ports go from 1 to 65535")
            case .lengths: .problem("has ranges of different lengths")
            case .transport(let name):
                .problem(
                    "has the protocol '\(name)'; there are tcp and udp",
                    hint: Suggestion.didYouMean(name, in: ["tcp", "udp"]))
            }
        }
    }
}
