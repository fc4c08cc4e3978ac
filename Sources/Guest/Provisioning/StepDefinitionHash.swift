import Digest
import LinuxSystem
import Reporting
import SystemPackage

extension ProvisioningStep {
    /// SHA-256 of everything that decides what the step does: the bytes of its script or files, arguments, environment
    /// and user, not its name, its time limit or when it runs. Lower-case hexadecimal.
    /// - Throws: ``ProvisioningError/unreadable(step:error:)`` if a file of the host cannot be read.
    public func definitionHash() throws(ProvisioningError) -> String {
        do {
            var fields = FieldList()
            switch action {
            case .shell(let shell):
                fields.add("shell")
                try fields.add(shell.script)
                fields.add(shell.user ?? "")
                fields.add(shell.arguments)
                fields.add(shell.environment.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] })
                // Only where it is wanted: steps that ran before there was such a thing are the same still.
                if shell.hasTerminal { fields.add("terminal") }
                if !shell.secrets.isEmpty { fields.add(["secrets"] + shell.secrets.sorted()) }
            case .file(let file):
                fields.add("file")
                try fields.add(file.content)
                fields.add([
                    file.path, file.permissions.map { String($0, radix: 8) } ?? "", file.owner ?? "", file.user ?? "",
                ])
            case .playbook(let playbook): try fields.add(playbook)
            case .restart: fields.add("restart")
            }
            return hexadecimal(fields.finish())
        } catch { throw .unreadable(step: title, error: error) }
    }
}

/// Texts one after the other, each with its length, so that no two lists look alike.
private struct FieldList: ~Copyable {
    private var checksum = Checksum(.sha256)

    consuming func finish() -> [UInt8] { checksum.finish() }

    mutating func add(_ field: [UInt8]) {
        checksum.update(Array("\(field.count):".utf8))
        checksum.update(field)
    }
    mutating func add(_ text: String) { add(Array(text.utf8)) }
    mutating func add(_ texts: [String]) {
        add("\(texts.count)")
        for text in texts { add(text) }
    }

    mutating func add(_ content: StepContent) throws(SystemError) {
        switch content {
        case .bytes(let bytes):
            add("bytes")
            add(Self.hash(bytes))
        case .source(let path):
            // Where it lies is no part of it: a moved project changes nothing.
            guard let status = try FileSystem.status(path) else {
                throw SystemError("read", path, .noSuchFileOrDirectory)
            }
            if status.kind == .directory {
                add("folder")
                try addTree(path, "")
            } else {
                add("bytes")
                add(try Self.hash(contentsOf: path))
            }
        }
    }

    mutating func add(_ playbook: PlaybookAction) throws(SystemError) {
        add("playbook")
        add([playbook.isInGuest ? "guest" : "host", playbook.playbook, playbook.user ?? ""])
        add([playbook.configuration, playbook.galaxy, playbook.vaultPasswordFile].map { $0 ?? "" })
        add(playbook.options)
        add(playbook.secrets)
        add(playbook.variables)
        add(playbook.inventory)
        add(playbook.environment.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] })
        for input in playbook.inputs {
            add(input.name)
            try add(.source(input.path))
        }
    }

    private mutating func addTree(_ folder: FilePath, _ prefix: String) throws(SystemError) {
        for name in try FileSystem.list(folder) {
            let path = folder.appending(name)
            guard let status = try FileSystem.status(path, followLinks: false) else { continue }
            add([prefix + name, "\(status.kind)", String(status.permissions, radix: 8)])
            switch status.kind {
            case .directory: try addTree(path, prefix + name + "/")
            case .regular: add(try Self.hash(contentsOf: path))
            // A link is sent as a link; where it leads is in its size and time, which is enough to see a change.
            case .symbolicLink: add(["\(status.size)", "\(status.modified).\(status.modifiedNanoseconds)"])
            case .socket, .other: break
            }
        }
    }

    private static func hash(_ bytes: [UInt8]) -> [UInt8] {
        var checksum = Checksum(.sha256)
        checksum.update(bytes)
        return checksum.finish()
    }

    private static func hash(contentsOf path: FilePath) throws(SystemError) -> [UInt8] {
        var checksum = Checksum(.sha256)
        do {
            let file = try GuardedPath(path).openFile()
            while true {
                let chunk = try file.read(upTo: 1 << 18)
                if chunk.isEmpty { break }
                checksum.update(chunk)
            }
        } catch { throw SystemError("read", path, error.errno) }
        return checksum.finish()
    }
}
