import EnvFile
import LinuxSystem
import NetworkAddress
import Reporting
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
        let place = try FilePath(PlainPath.of(folder.path))
        let files = MachineFolder(path: place, name: name)
        var block = SSHConfigBlock(
            host: host ?? name, hostName: name, port: 22, user: record.user,
            identityFiles: try identityFiles(record, in: files),
            knownHostsFile: record.hostKey == nil ? nil : files.knownHosts.string,
            hostKeyAlias: "wander-\(record.identifier)")
        block.forwardAgent = definition?.ssh.forwardAgent ?? false
        // A port of the host's is what every tool understands; the others take a command.
        if let forward = record.forwards.first(where: {
            $0.guestPort == 22 && $0.transport == .tcp && $0.name == "ssh"
        }) {
            block.hostName = forward.bind == "0.0.0.0" ? "127.0.0.1" : forward.bind
            block.port = forward.hostPort
        } else {
            block.proxyCommand = [
                try PlainPath.of(program), "net", "connect", "--socket", files.guestSocket.string, "22",
            ]
        }
        return block
    }

    /// A file that has ssh(1) run a command line in the guest, which may have values that are not for everybody's eyes.
    ///
    /// It cannot be handed over by a descriptor, since ssh(1) closes all that it inherits before it reads its
    /// configuration. The next such call removes it, and so does the next command that changes the machine.
    public func sshFile(running line: String, on host: String) throws -> FilePath {
        for entry in try FileSystem.list(folder.path) where entry.hasPrefix(Self.sshFilePrefix) {
            let file = folder.path.appending(entry)
            // Another ssh(1) may be about to read a younger one.
            guard let status = try FileSystem.status(file), status.modified < wallClockSeconds() - 60 else { continue }
            try FileSystem.remove(file)
        }
        let file = folder.path.appending("\(Self.sshFilePrefix)\(randomIdentifier(bytes: 4)).tmp")
        try OwnedDescriptor.open(file, [.writeOnly, .create, .exclusive], permissions: 0o600)
            .writeAll(SSHConfigBlock.file(running: line, on: host))
        return file
    }

    private static let sshFilePrefix = "ssh_config."

    /// The keys that the guest may know, as files. Before first contact is complete, those of the box are among them.
    /// - Parameter files: The machine's folder by the name that they shall have.
    private func identityFiles(_ record: MachineRecord, in files: MachineFolder) throws -> [String] {
        guard !record.isReady else { return [files.privateKey.string] }
        let own = try machineKey()
        return try keys(of: record, own: own).enumerated().map { index, key in
            guard key != own else { return files.privateKey.string }
            let file = folder.boxKey(index)
            if try !FileSystem.exists(file) { try AtomicFile.write(key.privateKeyText, to: file, permissions: 0o600) }
            return files.boxKey(index).string
        }
    }

    /// A session with a machine that must be running.
    public func openSession() throws -> (session: SSHSession, record: MachineRecord) {
        let record = try runningRecord()
        return (try reach(record), record)
    }

    /// A session with a machine that runs, whatever its record says of it. One that is starting is asked too: it may
    /// have answered long ago to a command that was interrupted.
    /// - Parameter patience: As for ``connect(_:patience:)``.
    /// - Throws: ``ProviderError/notAnswering(machine:reason:)`` if it is starting and does not answer yet.
    func reach(_ record: MachineRecord, patience: Int64? = nil) throws -> SSHSession {
        if try provider(record.provider).control(folder).isPaused {
            throw ProviderError.notRunning(machine: name, state: "paused")
        }
        do {
            return try connect(record, patience: patience)
        } catch let error as SSHError {
            guard !record.isReady, let layer = error.layer, layer <= .banner else { throw error }
            throw ProviderError.notAnswering(machine: name, reason: error.summary)
        }
    }

    /// As ``reach(_:patience:)``, for what a guest that cannot be reached is no more than a reason for.
    /// - Parameter explain: Makes an error of the reason, which says what was tried.
    func reach(_ record: MachineRecord, orThrow explain: (_ reason: String) -> any Error) throws -> SSHSession {
        do { return try reach(record) } catch let error as any UserFacingError {
            guard error.kind != .interrupted else { throw error }
            let tried = error.detail.map { " (\($0.split(separator: "\n").joined(separator: "; ")))" } ?? ""
            throw explain(error.summary + tried)
        }
    }
}
