/// Puts a machine's own key in place of the keys that its box was published with.
///
/// The order is what makes it safe to be killed at any instant: the new key goes in first, a second login proves that it
/// works, and only that login takes the old keys out. Each step looks before it changes anything, so that running it
/// again does no harm. A machine that was killed in between answers to the old keys, the new one, or both: try the new
/// one first, then ``WellKnownKeys``.
public enum FirstContact {
    /// Whether a login with `key` calls for an exchange.
    public static func isNeeded(after key: SSHKeyPair) -> Bool {
        WellKnownKeys.all.contains { $0.publicKey == key.publicKey }
    }

    /// - Parameters:
    ///   - session: Logged in by a key of the box's or by password.
    ///   - reconnect: Makes a second connection, not logged in.
    /// - Returns: A session that is logged in with `key`; the old one is closed.
    public static func exchange(
        _ session: SSHSession, user: String, key: SSHKeyPair, reconnect: () throws(SSHError) -> SSHSession
    ) throws(SSHError) -> SSHSession {
        try add(key.publicKey, over: session)
        let verified = try reconnect()
        try verified.authenticate(user: user, keys: [key])
        try remove(WellKnownKeys.all.map(\.publicKey), keeping: key.publicKey, over: verified)
        session.close()
        return verified
    }

    /// Makes the guest accept `key` for the user who is logged in.
    public static func add(_ key: SSHPublicKey, over session: SSHSession) throws(SSHError) {
        // `$1` the line, `$2` its key in Base64. The file is replaced in one step, and `sync` makes the guest write it down:
        // a machine whose power is cut in its first minute must still know the key.
        let script = """
            set -e; umask 077; d=$HOME/.ssh; f=$d/authorized_keys; n=$f.wander
            mkdir -p "$d"; chmod 700 "$d"
            if [ -f "$f" ] && grep -qF -e "$2" "$f"; then exit 0; fi
            if [ -f "$f" ]; then cat "$f" >"$n"; else : >"$n"; fi
            if [ -s "$n" ] && [ -n "$(tail -c 1 "$n")" ]; then echo >>"$n"; fi
            printf '%s\\n' "$1" >>"$n"; chmod 600 "$n"; mv -f "$n" "$f"; sync
            """
        try session.require(GuestShell.line(script, [key.line, key.base64]), named: "add the machine's key")
    }

    /// Makes the guest refuse `keys`, whatever comment or options stand beside them.
    public static func remove(
        _ keys: [SSHPublicKey], keeping kept: SSHPublicKey, over session: SSHSession
    ) throws(SSHError) {
        // `$1` the key that must stay, the rest those to remove. `grep -v` says 1 when nothing is left.
        let script = """
            umask 077; f=$HOME/.ssh/authorized_keys; n=$f.wander; k=$1; shift
            cat "$f" >"$n" || exit 1
            for o in "$@"; do
              grep -vF -e "$o" "$n" >"$n.2"; [ $? -le 1 ] || exit 1
              mv -f "$n.2" "$n" || exit 1
            done
            grep -qF -e "$k" "$n" || { echo 'the new key is not in the file' >&2; exit 1; }
            if cmp -s "$n" "$f"; then rm -f "$n"; exit 0; fi
            chmod 600 "$n" && mv -f "$n" "$f" && sync
            """
        let arguments = [kept.base64] + keys.filter { $0 != kept }.map(\.base64)
        try session.require(GuestShell.line(script, arguments), named: "remove the box's well-known keys")
    }
}
