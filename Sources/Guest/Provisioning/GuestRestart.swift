import LinuxSystem
import Reporting
public import SSH

/// Distinguishes a guest that has restarted from one that has not yet.
public struct GuestRestart: Sendable {
    /// How long a guest may take from the end of a command that restarts it until its SSH server goes, where nothing
    /// tells that it is going down, in milliseconds.
    private static let patience: Int64 = 10_000

    /// The identifier of the guest's run so far (random(4)).
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

    /// Whether the guest is going down. Takes some seconds where it is not and has no systemd to say so: the first
    /// thing that any other init does then is to end every process, though it may wait for their ends for long.
    /// - Throws: ``SSHError/interrupted``; any other failure is the connection's end, which says that it is.
    func isUnderWay(over session: SSHSession) throws(SSHError) -> Bool {
        var script = ShellScript(
            BuiltInScript.text(PackageResources.watch_shutdown_sh), [String(Self.patience / 1000)])
        script.milliseconds = Self.patience * 4
        do throws(SSHError) {
            let answer = try session.collect(script, limit: 4096)
            let state = String(decoding: answer.output, as: UTF8.self).split(whereSeparator: \.isWhitespace).last
            return switch state.map(String.init) ?? "" {
            case "running", "degraded", "starting", "initializing", "maintenance", "waited": false
            default: true
            }
        } catch {
            if error.kind == .interrupted { throw error }
            return true
        }
    }
}
