import Reporting
public import SSH

/// Waits in a guest until its cloud-init has done what it does at this start.
public struct CloudInitWait {
    /// How much of what the guest says is kept, in bytes.
    private static let limit = 256 << 10

    /// How long it may take, in milliseconds.
    public var milliseconds: Int64

    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// - Parameter turn: Called about once a second while cloud-init is at work, with the last line that it printed.
    /// - Throws: ``SSHError/timedOut(_:milliseconds:)`` after ``milliseconds``; cloud-init works on.
    public func run(over session: SSHSession, turn: (_ line: String) -> Void) throws(SSHError) -> CloudInitOutcome {
        var script = ShellScript(Self.script, [""], as: "root")
        script.milliseconds = milliseconds
        var answer: [UInt8] = []
        var line: [UInt8] = []
        try session.run(script) { (bytes) throws(SSHError) in
            for byte in bytes {
                if byte != 0x0a {
                    if line.count < Self.limit { line.append(byte) }
                    continue
                }
                if line.starts(with: "at ".utf8) {
                    turn(GuestText.line(line.dropFirst(3).prefix(1000)))
                } else if answer.count + line.count < Self.limit {
                    answer += line + [0x0a]
                }
                line.removeAll(keepingCapacity: true)
            }
        }
        return CloudInitOutcome(answer)
    }

    static let script = BuiltInScript.text(PackageResources.await_cloud_init_sh)
}
