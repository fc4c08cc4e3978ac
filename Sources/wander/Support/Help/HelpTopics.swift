import ArgumentParser
import Glibc
import Reporting

/// Texts that `wander help TOPIC` prints. `wander help VERB` is the verb's own help.
enum HelpTopics {
    static let topics: [(name: String, abstract: String, text: @Sendable () -> String)] = [
        ("options", "Options that every command takes", options),
        ("exit-statuses", "What the exit status of a command says", { exitStatuses }),
        ("environment", "Environment variables that wander reads", { environment }),
        ("json", "What --json prints", { json }),
    ]

    /// Answers `help ...`.
    /// - Returns: The exit status, or nil if the arguments are something else.
    static func answer(_ arguments: [String]) -> Int32? {
        guard arguments.first == "help" else { return nil }
        guard let word = arguments.dropFirst().first else {
            HelpPage.limitParserWidth()
            StandardOutput.write(Wander.helpMessage() + "\n")
            return 0
        }
        if word == "topics" {
            var table = TextTable()
            for topic in topics { table.add(["  \(topic.name)", topic.abstract]) }
            StandardOutput.write("Topics of 'wander help TOPIC':\n\(table.rendered)\n")
            return 0
        }
        if let topic = topics.first(where: { $0.name == word }) {
            StandardOutput.write(topic.text() + "\n")
            return 0
        }
        let verbs = Wander.configuration.allSubcommands.map { $0.verb }
        if verbs.contains(word) { return Main.run(Array(arguments.dropFirst()) + ["--help"]) }
        let mistake = UnknownTopic(word: word, suggestion: nearest(to: word, in: verbs + topics.map(\.name)))
        return Main.refuse(mistake, arguments)
    }

    private struct UnknownTopic: UserFacingError {
        let word: String
        let suggestion: String?
        var summary: String { "there is no help on '\(word)'" }
        var remedy: String? { suggestion.map { "Did you mean 'wander help \($0)'?" } ?? "See 'wander help topics'." }
        var kind: ErrorKind { .usage }
    }

    @Sendable private static func options() -> String {
        let lines = (try? CommandDescription.wander()).map { HelpPage.globalOptions($0) } ?? []
        return """
            Options of every command

            \(lines.joined(separator: "\n"))

            They may also come before the command: wander --json status. Commands without a project take no --file and no
            --set; 'wander logs' has --file without its short form, since -f follows the log there.
            """
    }

    private static let exitStatuses = """
        Exit statuses

          0    done
          1    failed, or declined by you, or found something wrong (disk check, disk compare)
          2    the Wanderfile or Wanderfile.lock is invalid
          3    something named does not exist (machine, box, file)
          4    the machine is in a state that does not allow it, or locked by another command
          5    this host cannot do it (no KVM and no emulator, no space, no permission)
          6    the network or a catalogue failed
          7    a digest did not match
          8    a time-out
          9    a provisioner failed, or the guest could not mount a share
          10   refused: it needs a confirmation (--yes), would destroy something, or a before_ hook failed
          12   something was left out that the machines need (import)
          13   the command's work is done, but an after_ hook failed
          64   the command line was wrong
          130  interrupted

        'wander ssh -c COMMAND' exits with the command's own status.
        """

    private static let environment = """
        Environment variables

          WANDER_FILE    the Wanderfile, as --file
          WANDER_HOME    where boxes are kept, instead of $XDG_DATA_HOME/wander
          WANDER_CATALOGUES
                         catalogues of boxes, separated by spaces; see 'wander help box search'
          WANDER_MIRROR_DEBIAN, WANDER_MIRROR_UBUNTU, ...
                         where to get a publisher's images instead: a URL or a folder
          NO_COLOR       no colour, if not empty
          CI             progress as plain lines
          XDG_DATA_HOME, XDG_STATE_HOME, XDG_CACHE_HOME, XDG_CONFIG_HOME
                         as the XDG base directory specification says
          http_proxy, https_proxy, no_proxy
                         for downloads
        """

    private static let json = """
        JSON output

        Every command that prints facts takes --json and then prints one JSON document on standard output, with
        "schema": 1. Names of members are written like this: sizeOnDisk (a few that were once written
        size_on_disk are there as well). Members are only ever added to a schema. When a
        command fails, the document has the member "error": {"kind", "exit", "summary", "detail", "remedy"}, beside what was
        done before it failed, and the exit status tells the kind.
        --progress json prints events as JSON lines on standard error.
        """
}
