public import LinuxSystem
import MonitorControl

extension Machine {
    /// Attaches to the running machine's console: what is written to the descriptor reaches the guest, what is read comes
    /// from it.
    /// - Parameter serial: The serial port instead of the faster virtio console.
    public func attachConsole(serial: Bool) throws -> OwnedDescriptor {
        let record = try runningRecord()
        guard record.provider == .kvm else {
            throw ProviderError.otherProvider(machine: name, has: record.provider, wants: .kvm)
        }
        let client = try MonitorClient.connect(to: folder.controlSocket)
        return serial ? try client.attachConsole() : try client.attachTerminal()
    }

    /// Tells the guest how large the terminal is that shows its virtio console.
    public func resizeConsole(to size: TerminalSize) throws {
        try MonitorClient.connect(to: folder.controlSocket).resizeTerminal(columns: size.columns, rows: size.rows)
    }
}
