public import LinuxSystem

extension Machine {
    /// Attaches to the running machine's console; see ``MachineProvider/attachConsole(_:serial:)``.
    public func attachConsole(serial: Bool) throws -> OwnedDescriptor {
        try provider(runningRecord().provider).attachConsole(folder, serial: serial)
    }

    /// Tells the guest how large the terminal is that shows its virtio console.
    public func resizeConsole(to size: TerminalSize) throws {
        try provider(runningRecord().provider).resizeConsole(folder, to: size)
    }
}
