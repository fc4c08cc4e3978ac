import EnvFile
import LinuxSystem
public import SSH
public import SystemPackage

extension Machine {
    /// How the system's ssh(1) reaches the machine.
    /// - Parameter program: wander's own executable, which carries the connection.
    public func sshConfiguration(host: String? = nil, program: FilePath) throws -> SSHConfigBlock {
        let record = try runningRecord()
        guard record.isReady else { throw ProviderError.notRunning(machine: name, state: "starting") }
        if let line = record.hostKey, let key = try? SSHPublicKey(parsing: line) {
            let text = key.knownHostsLine(for: "wander-\(record.identifier)")
            if (try? FileSystem.read(folder.knownHosts, limit: 1 << 16)) != Array(text.utf8) {
                try AtomicFile.write(text, to: folder.knownHosts, permissions: 0o600)
            }
        }
        var block = SSHConfigBlock(
            host: host ?? name, hostName: name, port: 22, user: record.user, identityFiles: [folder.privateKey.string],
            knownHostsFile: folder.knownHosts.string, hostKeyAlias: "wander-\(record.identifier)")
        block.forwardAgent = definition?.ssh.forwardAgent ?? false
        let words = [program.string, "net", "connect", "--socket", folder.guestSocket.string, "22"]
        block.proxyCommand = words.map { ShellQuoting.quote($0) }.joined(separator: " ")
        return block
    }

    /// A session with a machine that must be running.
    public func openSession() throws -> (session: SSHSession, record: MachineRecord) {
        let record = try runningRecord()
        if try provider(record.provider).control(folder).isPaused {
            throw ProviderError.notRunning(machine: name, state: "paused")
        }
        guard record.isReady else { throw ProviderError.notRunning(machine: name, state: "starting") }
        return (try connect(record), record)
    }
}
