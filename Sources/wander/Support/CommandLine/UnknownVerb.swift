import ArgumentParser
import Reporting
import SSH

/// A first word that is not a command.
struct UnknownVerb: UserFacingError, Equatable {
    let word: String
    /// What does it here, with the words that followed as far as they mean the same.
    let suggestion: String?

    /// What fingers that know Vagrant, multipass, Lima or a container's tools type, and what does it here.
    static let elsewhere = [
        "global-status": "status --all", "list": "status", "ls": "status", "ps": "status", "start": "up",
        "create": "up", "launch": "up", "boot": "up", "stop": "halt", "shutdown": "halt", "poweroff": "halt",
        "down": "halt", "restart": "reload", "reboot": "reload", "delete": "destroy", "remove": "destroy",
        "rm": "destroy", "purge": "destroy", "pause": "suspend", "unpause": "resume", "exec": "ssh -c",
        "shell": "ssh", "sh": "ssh", "bash": "ssh", "login": "ssh", "connect": "ssh", "enter": "ssh",
        "attach": "console", "scp": "upload", "cp": "upload", "copy": "upload", "transfer": "upload",
        "push": "upload", "commit": "package", "export": "package", "pull": "box add",
        "images": "box list", "boxes": "box list", "find": "box list", "ports": "port", "log": "logs",
        "tail": "logs --follow", "network": "net status", "networks": "net status",
        "snapshots": "snapshot list", "restore": "snapshot restore", "checkpoint": "snapshot save",
        "backup": "snapshot save", "kill": "halt --force", "top": "status NAME", "stats": "status NAME",
        "info": "status NAME", "inspect": "status NAME", "show": "status NAME", "check": "validate",
        "search": "box add NAME", "prune": "box prune", "autocomplete": "completion bash",
    ]

    /// What else it may have meant, or what it does besides.
    static let notes = [
        "down": "To remove machines with their disks: wander destroy",
        "rm": "It removes the disk too; to keep that: wander halt",
        "remove": "It removes the disk too; to keep that: wander halt",
        "delete": "It removes the disk too; to keep that: wander halt",
        "purge": "It removes the disk at once. Boxes that no machine uses: wander box prune",
        "list": "Boxes: wander box list", "ls": "Boxes: wander box list",
        "launch": "A new project begins with: wander init BOX",
        "cp": "Out of a machine: wander download MACHINE:PATH",
        "scp": "Out of a machine: wander download MACHINE:PATH",
        "copy": "Out of a machine: wander download MACHINE:PATH",
        "transfer": "Out of a machine: wander download MACHINE:PATH",
        "connect": "To a TCP port of a machine: wander net connect MACHINE PORT",
        "exec": "To log in: wander ssh",
    ]

    /// Where no command does it: what there is instead.
    static let explanations = [
        "rsync": "Shares are live in both directions; to copy once: wander upload",
        "rsync-auto": "Shares are live in both directions: nothing has to watch them.",
        "watch": "Shares are live in both directions: nothing has to watch them. To follow a log: wander logs --follow",
        "mount": "Share a folder with 'shares: [\".:/project\"]' in the Wanderfile, then: wander reload",
        "umount": "Take the folder out of 'shares' in the Wanderfile, then: wander reload",
        "unmount": "Take the folder out of 'shares' in the Wanderfile, then: wander reload",
        "forward": "Lead a port into the machine with 'ports: [\"8080:80\"]' in the Wanderfile, then: wander reload",
        "edit": "Edit the Wanderfile, then: wander validate && wander reload",
        "set": "Edit the Wanderfile, then: wander validate && wander reload",
        "plugin": "wander has no plugins: providers and provisioners are built in.",
        "cloud": "Boxes come from catalogues, URLs and files: wander help box add",
        "winrm": "wander reaches its machines by SSH: wander ssh",
        "rdp": "wander reaches its machines by SSH: wander ssh",
        "powershell": "wander reaches its machines by SSH: wander ssh",
        "build": "To make a box of a machine: wander package",
        "clone": "To make a box of a machine, which others start from: wander package",
    ]

    var summary: String { "'\(word)' is not a wander command" }
    var remedy: String? {
        if let explanation = Self.explanations[word] { return explanation }
        // Quotes in quotes are nothing to copy.
        let advice = suggestion.map { $0.contains("'") ? "Did you mean: wander \($0)" : "Did you mean 'wander \($0)'?" }
        let note = suggestion?.hasPrefix("download") == true ? nil : Self.notes[word]
        return [advice ?? "See 'wander --help' for the commands.", note].compactMap(\.self).joined(separator: "\n")
    }
    var kind: ErrorKind { .usage }

    static func find(in arguments: [String]) -> UnknownVerb? {
        guard let word = arguments.first, !word.hasPrefix("-"), word != "help" else { return nil }
        let verbs = Wander.configuration.allSubcommands.flatMap { [$0.verb] + $0.configuration.aliases }
        guard !verbs.contains(word) else { return nil }
        let known = elsewhere[word].map { completed($0, with: Array(arguments.dropFirst())) }
        return UnknownVerb(word: word, suggestion: known ?? nearest(to: word, in: verbs))
    }

    /// A command with the words that were typed after another tool's: the options of that one are left out.
    private static func completed(_ command: String, with words: [String]) -> String {
        let plain = words.filter { !$0.hasPrefix("-") }
        // What is long is not read.
        guard !plain.isEmpty, words.reduce(0, { $0 + $1.utf8.count + 1 }) <= 160 else {
            return command == "ssh -c" ? "ssh -c COMMAND" : command
        }
        func line(_ words: some Sequence<String>) -> String {
            words.map { ShellQuoting.quote($0) }.joined(separator: " ")
        }
        switch command {
        case "ssh -c":
            let request = words.drop { $0.hasPrefix("-") }.dropFirst().drop { $0 == "--" }
            guard !request.isEmpty else { return "ssh -c COMMAND" }
            return "ssh \(line([plain[0]])) -c \(line([request.joined(separator: " ")]))"
        case "upload":
            let isInMachine = plain[0].prefix { $0 != "/" }.contains(":")
            return "\(isInMachine ? "download" : "upload") \(line(plain))"
        case "up", "halt", "reload", "destroy", "suspend", "resume", "ssh", "console", "status", "logs", "port",
            "package", "snapshot save", "snapshot restore", "box add":
            return "\(command) \(line(plain))"
        default: return command.hasSuffix(" NAME") ? "\(command.dropLast(5)) \(line(plain.prefix(1)))" : command
        }
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
