import Reporting
import YAML

/// A key that the schema does not have: a typing error, a key of a later version, or one that is free to use.
enum UnknownKey {
    /// As many keys as a reader takes in at a glance.
    private static let listLimit = 12

    static func report(_ entry: Node.Entry, in type: ObjectType, problems: Problems) {
        let name = String(entry.name.prefix(64))
        if type.hasExtensions, name.hasPrefix("x-") { return }
        if type.later.contains(name) {
            problems.report(
                "'\(name)' is not supported yet", hint: "Remove it: this version of wander does not have it.",
                at: entry.mark)
            return
        }
        let known = type.keys.map(\.name)
        var hint =
            type.foreign[name]?.advice(for: entry.value) ?? VagrantKey(path: name, value: entry.value)?.advice
            ?? problems.sourceLine(entry.mark).flatMap { VagrantKey(line: $0, at: entry.mark)?.advice }
            ?? Suggestion.didYouMean(name, in: known)
        if hint == nil, problems.isFirstMention(of: type.title) {
            hint =
                known.count <= listLimit
                ? "Known keys: \(known.sorted().joined(separator: ", "))."
                : "'wander schema --keys' lists what there is."
        }
        problems.report("unknown key '\(name)' in \(type.title)", hint: hint, at: entry.mark)
    }
}
