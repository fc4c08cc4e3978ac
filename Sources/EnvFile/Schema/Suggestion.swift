import Reporting

enum Suggestion {
    /// `Did you mean 'memory'?`, if something is near enough to `name`.
    static func didYouMean(_ name: String, in candidates: [String]) -> String? {
        // Of one or two letters, everything is near to everything.
        guard name.count > 2 else { return nil }
        return nearest(to: name, in: candidates).map { "Did you mean '\($0)'?" }
    }
}
