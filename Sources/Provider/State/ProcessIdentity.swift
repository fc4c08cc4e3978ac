import LinuxSystem
import SystemPackage

extension MachineRecord.ProcessIdentity {
    /// The identity of a live process; nil if it is gone.
    static func of(_ identifier: Int32) -> Self? {
        guard let bytes = try? FileSystem.read(FilePath("/proc/\(identifier)/stat"), limit: 4096) else { return nil }
        // The second field is the command in parentheses and may hold anything: count from behind the last one.
        let text = String(decoding: bytes, as: UTF8.self)
        guard let close = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: close)...].split(separator: " ")
        guard fields.count > 19 else { return nil }
        return Self(identifier: identifier, started: String(fields[19]))
    }

    /// Whether this very process still lives (also as a zombie that nobody has collected).
    var isAlive: Bool { Self.of(identifier) == self }

    /// Ends the process at once, if it still is the one that was recorded.
    func kill() {
        guard isAlive else { return }
        sendSignal(9, to: identifier)
    }
}
