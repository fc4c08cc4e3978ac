/// Command lines for a guest of which nothing is known but that it has a POSIX shell.
public enum GuestShell {
    /// A line that runs `script` by `sh`, whatever the user's own shell is.
    /// - Parameters:
    ///   - arguments: `$1`, `$2`, ... of the script.
    ///   - user: Another user to be, through sudo or, for root without sudo, su. nil stays the user who logged in.
    public static func line(_ script: String, _ arguments: [String] = [], as user: String? = nil) -> String {
        line(words(script, arguments, as: user))
    }

    /// A line that becomes the command that is given by its words.
    static func line(_ words: [String]) -> String {
        "exec " + words.map { ShellQuoting.quote($0) }.joined(separator: " ")
    }

    /// The words of a command that runs `script` by `sh`.
    /// - Parameter login: The user who logged in, where that is known: it saves the guest a program's start.
    public static func words(
        _ script: String, _ arguments: [String] = [], as user: String? = nil, from login: String? = nil
    ) -> [String] {
        let words = ["sh", "-c", script, "sh"] + arguments
        guard let user, user != login else { return words }
        let check = login == nil ? "if [ \"$(id -un)\" = \"$1\" ]; then shift; exec \"$@\"; fi\n" : ""
        return ["sh", "-c", check + switchUser, "sh", user] + words
    }

    /// `$1` is the user, the rest is the command.
    private static let switchUser = """
        u=$1; shift
        if command -v sudo >/dev/null 2>&1; then exec sudo -n -H -u "$u" -- "$@"; fi
        if [ "$(id -u)" = 0 ]; then exec su -s /bin/sh "$u" -c 'exec "$@"' -- sh "$@"; fi
        echo 'there is no sudo in the guest, and the user who logs in is not root' >&2
        exit 126
        """
}
