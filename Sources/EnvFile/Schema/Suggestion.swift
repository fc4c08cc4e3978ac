import Reporting

enum Suggestion {
    /// `Did you mean 'memory'?`, if something is near enough to `name`.
    static func didYouMean(_ name: String, in candidates: [String]) -> String? {
        nearest(to: name, in: candidates).map { "Did you mean '\($0)'?" }
    }
}
