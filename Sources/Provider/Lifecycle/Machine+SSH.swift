import EnvFile
import LinuxSystem
public import SSH
public import SystemPackage

extension Machine {
    /// How the system's ssh(1) reaches the machine.
    /// - Parameter program: wander's own executable, which carries the connection.
    public func sshConfiguration(host: String? = nil, program: FilePath) throws -> SSHConfigBlock {
        let record = try runningRecord()
        if let line = record.hostKey, let key = try? SSHPublicKey(parsing: line) {
            let text = key.knownHostsLine(for: "wander-\(record.identifier)")
            if (try? FileSystem.read(folder.knownHosts, limit: 1 << 16)) != Array(text.utf8) {
                try AtomicFile.write(text, to: folder.knownHosts, permissions: 0o600)
            }
        }
        var block = SSHConfigBlock(
            host: host ?? name, hostName: name, port: 22, user: record.user, identityFiles: try identityFiles(record),
            knownHostsFile: record.hostKey == nil ? nil : folder.knownHosts.string,
            hostKeyAlias: "wander-\(record.identifier)")
        block.forwardAgent = definition?.ssh.forwardAgent ?? false
        let words = [program.string, "net", "connect", "--socket", folder.guestSocket.string, "22"]
        block.proxyCommand = words.map { ShellQuoting.quote($0) }.joined(separator: " ")
        return block
    }

    /// The keys that the guest may know, as files. Before first contact is complete, those of the box are among them.
    private func identityFiles(_ record: MachineRecord) throws -> [String] {
        guard !record.isReady else { return [folder.privateKey.string] }
        let own = try machineKey()
        return try keys(of: record, own: own).enumerated().map { index, key in
            guard key != own else { return folder.privateKey.string }
            let file = folder.boxKey(index)
            if try !FileSystem.exists(file) { try AtomicFile.write(key.privateKeyText, to: file, permissions: 0o600) }
            return file.string
        }
    }

    /// A session with a machine that must be running. One that is starting is asked too: it may have answered long ago to a
    /// command that was interrupted.
    /// - Throws: ``ProviderError/notAnswering(machine:reason:)`` if it is starting and does not answer yet.
    public func openSession() throws -> (session: SSHSession, record: MachineRecord) {
        let record = try runningRecord()
        if try provider(record.provider).control(folder).isPaused {
            throw ProviderError.notRunning(machine: name, state: "paused")
        }
        do {
            return (try connect(record), record)
        } catch let error as SSHError {
            guard !record.isReady, let layer = error.layer, layer <= .banner else { throw error }
            throw ProviderError.notAnswering(machine: name, reason: error.summary)
        }
    }
}
