import ArgumentParser
import Reporting

/// A first word that is no command.
struct UnknownVerb: UserFacingError, Equatable {
    let word: String
    let suggestion: String?

    var summary: String { "'\(word)' is not a wander command" }
    var remedy: String? {
        suggestion.map { "Did you mean 'wander \($0)'?" } ?? "See 'wander --help' for the commands."
    }
    var kind: ErrorKind { .usage }

    static func find(in arguments: [String]) -> UnknownVerb? {
        guard let word = arguments.first, !word.hasPrefix("-"), word != "help" else { return nil }
        let verbs = Wander.configuration.allSubcommands.flatMap { [$0.verb] + $0.configuration.aliases }
        guard !verbs.contains(word) else { return nil }
        return UnknownVerb(word: word, suggestion: nearest(to: word, in: verbs))
    }
}

extension CommandConfiguration {
    /// Every direct subcommand, grouped or not.
    var allSubcommands: [any ParsableCommand.Type] { ungroupedSubcommands + groupedSubcommands.flatMap(\.subcommands) }
}

extension ParsableCommand {
    /// The word that names the command on the command line.
    static var verb: String { _commandName }
}
