import ArgumentParser
import Reporting

/// A first word that is no command.
struct UnknownVerb: UserFacingError, Equatable {
    let word: String
    let suggestion: String?

    /// What fingers that know Vagrant or a container's tools type, and what does it here.
    static let elsewhere = [
        "global-status": "status --all", "list": "status", "ls": "status", "ps": "status", "start": "up",
        "create": "up", "stop": "halt", "shutdown": "halt", "poweroff": "halt", "restart": "reload",
        "reboot": "reload", "delete": "destroy", "remove": "destroy", "rm": "destroy", "pause": "suspend",
        "unpause": "resume", "exec": "ssh -c", "run": "ssh -c", "shell": "ssh", "login": "ssh", "attach": "console",
        "scp": "upload", "cp": "upload", "push": "upload", "commit": "package", "export": "package", "pull": "box add",
        "images": "box list", "boxes": "box list", "ports": "port", "log": "logs", "network": "net status",
        "snapshots": "snapshot list", "restore": "snapshot restore", "checkpoint": "snapshot save",
        "down": "destroy", "kill": "halt --force", "top": "status NAME", "info": "status NAME",
        "inspect": "status NAME",
        "show": "status NAME", "check": "validate", "search": "box add NAME", "autocomplete": "completion bash",
    ]

    /// Where no command does it: what there is instead.
    static let explanations = [
        "rsync": "Shares are live in both directions; to copy once: wander upload",
        "rsync-auto": "Shares are live in both directions: nothing has to watch them.",
        "watch": "Shares are live in both directions: nothing has to watch them. To follow a log: wander logs --follow",
        "edit": "Edit the Wanderfile, then: wander validate && wander reload",
        "plugin": "wander has no plugins: providers and provisioners are built in.",
        "cloud": "Boxes come from catalogues, URLs and files: wander help box add",
        "winrm": "wander reaches its machines by SSH: wander ssh",
        "rdp": "wander reaches its machines by SSH: wander ssh",
        "powershell": "wander reaches its machines by SSH: wander ssh",
        "build": "To make a box of a machine: wander package",
    ]

    var summary: String { "'\(word)' is not a wander command" }
    var remedy: String? {
        if let explanation = Self.explanations[word] { return explanation }
        return suggestion.map { "Did you mean 'wander \($0)'?" } ?? "See 'wander --help' for the commands."
    }
    var kind: ErrorKind { .usage }

    static func find(in arguments: [String]) -> UnknownVerb? {
        guard let word = arguments.first, !word.hasPrefix("-"), word != "help" else { return nil }
        let verbs = Wander.configuration.allSubcommands.flatMap { [$0.verb] + $0.configuration.aliases }
        guard !verbs.contains(word) else { return nil }
        return UnknownVerb(word: word, suggestion: elsewhere[word] ?? nearest(to: word, in: verbs))
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
