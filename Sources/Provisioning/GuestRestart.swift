import LinuxSystem
import Reporting
public import SSH

/// Tells a guest that has restarted from one that has not yet.
public struct GuestRestart: Sendable {
    /// How long a guest may take from the end of a command that restarts it until its SSH server goes, where nothing tells that
    /// it is going down, in milliseconds.
    private static let patience: Int64 = 10_000

    /// Of the guest's run so far (random(4)).
    private let bootIdentifier: String

    /// Before what may restart the guest.
    init(before session: SSHSession) throws(SSHError) { bootIdentifier = try Self.bootIdentifier(session) }

    private static func bootIdentifier(_ session: SSHSession) throws(SSHError) -> String {
        let text = try session.require("cat /proc/sys/kernel/random/boot_id", named: "tell its boot_id")
        return text.split(separator: "\n").last.map(String.init) ?? ""
    }

    /// Whether the guest that is reached now has started since.
    public func isOver(over session: SSHSession) throws(SSHError) -> Bool {
        try Self.bootIdentifier(session) != bootIdentifier
    }

    /// Whether the guest is going down. Takes some seconds where it is not and has no systemd to say so.
    /// - Throws: ``SSHError/interrupted``; any other failure is the connection's end, which says that it is.
    func isUnderWay(over session: SSHSession) throws(SSHError) -> Bool {
        var script = ShellScript("[ -d /run/systemd/system ] || exit 3; systemctl is-system-running")
        script.milliseconds = Self.patience
        do throws(SSHError) {
            let answer = try session.collect(script, limit: 4096)
            let state = String(decoding: answer.output, as: UTF8.self).split(whereSeparator: \.isWhitespace).last
            switch state.map(String.init) ?? "" {
            case "stopping": return true
            case "running", "degraded", "starting", "initializing", "maintenance": return false
            default: break
            }
            try session.pause(milliseconds: Self.patience)
            return false
        } catch {
            if error.kind == .interrupted { throw error }
            return true
        }
    }
}
