/// Durations as a Wanderfile writes them: `500ms`, `30s`, `5m`, `1h30m`.
enum DurationText {
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    static func parse(_ text: String) -> Duration? {
        var total: Int64 = 0
        var previous = Int64.max
        var rest = text[...]
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { ("0"..."9").contains($0) }
            guard !digits.isEmpty, digits.count <= 10, let count = Int64(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            let name = rest.prefix { !("0"..."9").contains($0) }
            // Larger units first, each at most once: `1h30m`, not `30m1h`.
            guard let unit = units.first(where: { $0.name == name }), unit.milliseconds < previous else { return nil }
            previous = unit.milliseconds
            rest = rest.dropFirst(name.count)
            total += count * unit.milliseconds
        }
        return .milliseconds(total)
    }

    static func format(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        var rest = seconds * 1000 + attoseconds / 1_000_000_000_000_000
        guard rest > 0 else { return "0s" }
        var text = ""
        for unit in units.reversed() where rest >= unit.milliseconds {
            text += "\(rest / unit.milliseconds)\(unit.name)"
            rest %= unit.milliseconds
        }
        return text
    }
}
