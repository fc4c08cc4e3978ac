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

    /// A file that makes ssh(1) run a command line in the guest. The line may have values that other users must not
    /// see.
    ///
    /// ssh(1) could not read it from a descriptor, since it closes everything that it inherits before it reads its
    /// configuration. The next such call removes the file, and so does the next command that changes the machine.
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
        let own = try GuestAccess(self).key()
        return try GuestAccess(self).keys(of: record, own: own).enumerated().map { index, key in
            guard key != own else { return files.privateKey.string }
            let file = folder.boxKey(index)
            if try !FileSystem.exists(file) { try AtomicFile.write(key.privateKeyText, to: file, permissions: 0o600) }
            return files.boxKey(index).string
        }
    }
}
