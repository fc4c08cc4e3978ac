import LinuxSystem

/// How one script gets past the login shell, which alone decides how SSH's command line is read, and which may be any
/// program.
///
/// The line is one simple command whose words every shell reads alike: sh, csh, fish, zsh, restricted ones, nushell. It
/// has no `!`, no backslash, no line break and no single quote within single quotes, no slash in the command's name,
/// and fewer than the 1024 characters that csh takes for a word. It prints a word, which begins the output, and waits
/// for a line with the script: whatever read the input before it got only empty lines. Another word marks the end of
/// the output, since login shells and their wrappers may print more. That word comes with the script, because process
/// lists show the line and may appear in the output. Both words are printed in halves, so that a shell that prints its
/// commands does not print the words.
struct ShellCall {
    /// For SSH.
    let line: String
    /// To be sent once both outputs have begun. What follows it is the script's own input.
    let script: [UInt8]
    /// Whether both outputs are one terminal, which then must not change what passes.
    private let isOneStream: Bool
    var output: OutputFrame
    var error: OutputFrame

    /// - Parameter login: The user who logged in.
    init(_ script: ShellScript, from login: String?) {
        let (begin, start, end) = (Self.halves(), randomIdentifier(bytes: 8), Self.halves())
        output = OutputFrame(from: begin.joined(), to: end.joined())
        error = output
        let isOneStream = script.terminal != nil
        self.isOneStream = isOneStream
        // The server was asked for such a terminal, too; not every one listens.
        let prepares = isOneStream ? "stty raw -echo 2>/dev/null; " : ""
        let twice = { (print: String) in isOneStream ? print : "\(print); \(print) >&2" }
        let begins = twice("printf %s%s \(begin[0]) \(begin[1])")
        // POSIX.1, Shell, 2.5.3: IFS is space, tab and line break when a shell starts.
        line =
            "sh -c 'wander_n=${IFS#??}; \(prepares)\(begins); "
            + "while IFS= read -r wander_l; do case $wander_l in \(start)*) break ;; esac; done; "
            + "eval \"${wander_l#\(start)}\"'"
        let plain = script.whenSwitched(from: login)
        let words = (["set", "--"] + plain.arguments.map(Self.quoted)).joined(separator: " ")
        let ends = twice("printf \"%s%s %s$wander_n\" \(end[0]) \(end[1]) \"$wander_s\"")
        self.script = Array(
            "\(start)( \(words); eval \(Self.quoted(plain.text)) ); wander_s=$?; \(ends); exit 77\n".utf8)
    }

    private static func quoted(_ text: String) -> String { ShellQuoting.quote(text, lineBreak: "wander_n") }

    private static func halves() -> [String] { [randomIdentifier(bytes: 8), randomIdentifier(bytes: 8)] }

    /// Tells whether the script is waited for.
    var hasBegun: Bool { output.hasBegun && (isOneStream || error.hasBegun) }
    /// Once the script has ended and all that it said has been taken.
    var status: Int32? { isOneStream || error.status != nil ? output.status : nil }
}
