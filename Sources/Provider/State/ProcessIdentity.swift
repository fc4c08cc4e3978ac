import LinuxSystem
import SystemPackage

extension MachineRecord.ProcessIdentity {
    /// The identity of a live process; nil if it is gone.
    static func of(_ identifier: Int32) -> Self? {
        guard let fields = status(of: identifier)?.fields, fields.count > 19 else { return nil }
        return Self(identifier: identifier, started: String(fields[19]))
    }

    /// The name of the program that a live process runs, cut to 15 bytes.
    static func name(of identifier: Int32) -> String? { status(of: identifier)?.name }

    /// What proc_pid_stat(5) says, which everybody may read.
    private static func status(of identifier: Int32) -> (name: String, fields: [Substring])? {
        guard let bytes = try? FileSystem.read(FilePath("/proc/\(identifier)/stat"), limit: 4096) else { return nil }
        // The second field is the command in parentheses and may hold anything: count from behind the last one.
        let text = String(decoding: bytes, as: UTF8.self)
        guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")"), open < close else { return nil }
        return (String(text[text.index(after: open)..<close]), text[text.index(after: close)...].split(separator: " "))
    }

    /// Whether this very process still lives (also as a zombie that nobody has collected).
    var isAlive: Bool { Self.of(identifier) == self }

    /// Whether it runs: what has ended is not counted, though nobody has collected it.
    var runs: Bool {
        guard let fields = Self.status(of: identifier)?.fields, fields.count > 19 else { return false }
        return String(fields[19]) == started && !["Z", "X"].contains(fields[0])
    }

    /// Ends the process, if it runs though somebody else has its machine's lock: a guest that took it over made it let
    /// go.
    /// - Throws: `ETIMEDOUT` if it does not end.
    func endWithoutLock() throws(SystemError) {
        guard runs, let watch = ProcessWatch(identifier) else { return }
        kill()
        _ = try watch.wait(milliseconds: 10_000)
        if runs { throw SystemError("end process \(identifier)", nil, .timedOut) }
    }

    /// Ends the process at once, if it still is the one that was recorded.
    func kill() {
        guard isAlive else { return }
        sendSignal(9, to: identifier)
    }
}
