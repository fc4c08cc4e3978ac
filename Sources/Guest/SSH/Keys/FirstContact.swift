/// Puts a machine's own key in place of the keys that its box was published with.
///
/// The order makes it safe to be killed at any instant: the new key goes in first, a second login proves that it works,
/// and only then the old keys go out. Each step checks before it changes anything, so that running it again does no
/// harm. If it was interrupted, the machine accepts the old keys, the new one, or both: try all of them.
///
/// Guests may be slow, so it is one command that starts few programs, and other work can start while it waits for the
/// proof.
public enum FirstContact {
    /// Whether a login with `key` calls for an exchange.
    public static func isNeeded(after key: SSHKeyPair) -> Bool {
        WellKnownKeys.all.contains { $0.publicKey == key.publicKey }
    }

    /// Exchanges the keys of the user who is logged in.
    /// - Parameters:
    ///   - session: Logged in with a key of the box or with a password, and still logged in afterwards.
    ///   - old: The box's own keys, which go out with the well-known ones: whoever has the box has them.
    ///   - proof: A connection to the same server with `key`; nil if `session` itself logged in with it.
    ///   - start: Starts other work over `session` once the new key is in.
    ///   - finish: Waits for that work, while the old keys go out.
    public static func exchange<Other>(
        _ session: SSHSession, key: SSHPublicKey, old: [SSHPublicKey] = [], proof: SecondConnection?,
        start: () throws(SSHError) -> Other, finish: (Other) throws(SSHError) -> Void
    ) throws(SSHError) -> Other {
        let process = try add(key, old, over: session)
        proof?.proceed(expecting: session.hostKey)
        let other = try start()
        try proof?.finish()
        try process.send("proved\n")
        try finish(other)
        try awaitRemoval(by: process)
        return other
    }

    /// Makes the guest accept `key`.
    /// - Returns: The command, which waits for a line `proved`, and changes nothing more if that does not come.
    static func add(_ key: SSHPublicKey, _ others: [SSHPublicKey] = [], over session: SSHSession) throws(SSHError)
        -> SSHProcess
    {
        let old = (others + WellKnownKeys.all.map(\.publicKey)).filter { $0 != key }.map(\.base64).joined(
            separator: "\n")
        let process = try session.start(ShellScript(script, [key.line, key.base64, old]))
        try process.expect("added", named: "add the machine's key")
        return process
    }

    /// Waits until the guest refuses the box's keys, whatever comment or options stand beside them.
    static func awaitRemoval(by process: SSHProcess) throws(SSHError) {
        try process.expect("removed", named: "remove the box's keys")
        process.leave()
    }

    private static let script = BuiltInScript.text(PackageResources.exchange_keys_sh)
}
