internal import Reporting

/// Names that somebody may have meant who wrote another one.
public enum NearNames {
    static let limit = 8

    /// - Parameter candidates: Names, and words that people call them by besides.
    public static func near(_ name: String, in candidates: [(name: String, words: String)]) -> [String] {
        let wanted = bare(name)
        let parts = name.lowercased().split(separator: "/").map(String.init)
        guard let first = parts.first, let last = parts.last, !wanted.isEmpty else { return [] }
        func has(_ candidate: (name: String, words: String), _ test: ([String]) -> Bool) -> Bool {
            test(candidate.name.lowercased().split(separator: "/").map(String.init))
        }
        var found: [String] = []
        func add(_ names: [String]) { for name in names where !found.contains(name) { found.append(name) } }
        // `debian12`, `Debian/12`; `tiny` of `wander/tiny`; `ubuntu`; `ubuntu/noble` and `trixie`.
        add(candidates.filter { bare($0.name) == wanted }.map(\.name))
        add(candidates.filter { has($0) { $0.last == last && parts.count == 1 } }.map(\.name))
        add(
            candidates.filter { $0.words.lowercased().split { !$0.isLetter && !$0.isNumber }.contains { $0 == last } }
                .map(\.name))
        add([nearest(to: name, in: candidates.map(\.name))].compactMap(\.self))
        let ends = candidates.compactMap { $0.name.lowercased().split(separator: "/").last.map(String.init) }
        if parts.count == 1, let end = nearest(to: last, in: ends) {
            add(candidates.filter { has($0) { $0.last == end } }.map(\.name))
        }
        let publishers = Set(
            candidates.compactMap { $0.name.lowercased().split(separator: "/").first.map(String.init) })
        let publisher = publishers.contains(first) ? first : nearest(to: first, in: publishers.sorted())
        add(candidates.filter { has($0) { $0.first == publisher } }.map(\.name))
        return Array(found.prefix(limit))
    }

    private static func bare(_ text: String) -> String {
        String(text.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber) })
    }
}
