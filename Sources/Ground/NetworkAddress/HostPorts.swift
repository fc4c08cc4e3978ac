/// Ports of the host's loopback interface, which a machine may be given to reach.
public enum HostPorts: Hashable, Sendable, LosslessStringConvertible {
    /// Every port of TCP and UDP.
    case all
    case range(ClosedRange<UInt16>, Transport)

    /// Reads what a Wanderfile writes.
    public init?(_ text: String) {
        if text == "all" {
            self = .all
            return
        }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let transport = parts.count == 2 ? Transport(rawValue: String(parts[1])) : .tcp else {
            return nil
        }
        let ends = parts[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = ends.compactMap { end in end.allSatisfy(\.isWholeNumber) ? UInt16(end) : nil }
        guard numbers.count == ends.count, let first = numbers.first, let last = numbers.last, first > 0, first <= last
        else { return nil }
        self = .range(first...last, transport)
    }

    public func contains(_ port: UInt16, _ transport: Transport) -> Bool {
        switch self {
        case .all: true
        case .range(let ports, let own): own == transport && ports.contains(port)
        }
    }

    /// As a Wanderfile writes it: `5432`, `8000-8010`, `53/udp`, `all`.
    public var description: String {
        switch self {
        case .all: return "all"
        case .range(let ports, let transport):
            let numbers = ports.count == 1 ? "\(ports.lowerBound)" : "\(ports.lowerBound)-\(ports.upperBound)"
            return transport == .tcp ? numbers : "\(numbers)/\(transport.rawValue)"
        }
    }
}
