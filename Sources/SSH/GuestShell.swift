/// Command lines for a guest of which nothing is known but that it has a POSIX shell.
public enum GuestShell {
    /// A line that runs `script` by `sh`, whatever the user's own shell is.
    /// - Parameters:
    ///   - arguments: `$1`, `$2`, ... of the script.
    ///   - user: Another user to be, through sudo or, for root without sudo, su. nil stays the user who logged in.
    public static func line(_ script: String, _ arguments: [String] = [], as user: String? = nil) -> String {
        let words = ["sh", "-c", script, "sh"] + arguments
        guard let user else { return "exec " + words.map { ShellQuoting.quote($0) }.joined(separator: " ") }
        return "exec "
            + (["sh", "-c", switchUser, "sh", user] + words).map { ShellQuoting.quote($0) }.joined(separator: " ")
    }

    /// `$1` is the user, the rest is the command.
    private static let switchUser = """
        u=$1; shift
        if [ "$(id -un)" = "$u" ]; then exec "$@"; fi
        if command -v sudo >/dev/null 2>&1; then exec sudo -n -H -u "$u" -- "$@"; fi
        if [ "$(id -u)" = 0 ]; then exec su -s /bin/sh "$u" -c 'exec "$@"' -- sh "$@"; fi
        echo 'there is no sudo in the guest, and the user who logs in is not root' >&2
        exit 126
        """
}
