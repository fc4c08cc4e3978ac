import EnvFile
import LinuxSystem
import Provisioning
import Reporting
import SystemPackage

/// Runs a playbook by the host's Ansible.
struct PlaybookJob {
    let project: Project

    init(_ project: Project) { self.project = project }

    /// - Parameter output: Gets what Ansible prints.
    func run(
        _ playbook: PlaybookAction, output: (HostCommand.Stream, [UInt8]) -> Void
    ) throws -> HostCommand.Ending {
        guard findExecutable("ansible-playbook") != nil else { throw MissingAnsible() }
        let place = try PlaybookFolder.make(in: project.layout)
        defer { place.remove() }
        let inventory = try AnsibleInventory(
            project, project.machines(named: [], includingUndefined: false),
            program: FileSystem.resolve("/proc/self/exe"))
        let paths = Dictionary(playbook.inputs.map { ($0.name, $0.path) }, uniquingKeysWith: { $1 })
        func path(_ name: String) -> String {
            // The longest name that leads there.
            let input = paths.filter { name == $0.key || name.hasPrefix($0.key + "/") }
                .max { $0.key.utf8.count < $1.key.utf8.count }
            return input.map { $0.value.string + name.dropFirst($0.key.count) } ?? name
        }
        let words = playbook.words(
            inventory: try place.write(Array(PlainYAML.text(inventory.tree).utf8), as: "inventory.yml"),
            variables: playbook.variables.isEmpty ? "" : try place.write(playbook.variables, as: "vars.json"),
            place: path)
        var environment = playbook.environment(place: path)
        environment["WANDER_ENVIRONMENT"] = project.environment.name
        let galaxy = playbook.galaxy.map { ["ansible-galaxy", "install", "-r", path($0)] }
        let deadline = playbook.timeout.map { MonotonicClock.now.advanced(byMilliseconds: $0.milliseconds) }
        var ending = HostCommand.Ending.ended(.exited(0))
        for line in [galaxy, words].compactMap(\.self) {
            var command = HostCommand(line)
            command.directory = project.environment.projectDirectory
            command.environment = environment
            command.milliseconds = deadline.map { max(1, $0.milliseconds(since: .now)) }
            ending = try command.run(
                cancellation: project.cancellation.insistence ?? project.cancellation, output: output)
            guard ending == .ended(.exited(0)) else { break }
        }
        return ending
    }
}

/// The host has no Ansible.
struct MissingAnsible: UserFacingError, Equatable {
    var summary: String { "this host has no ansible-playbook" }
    var remedy: String? {
        "Install it, on Debian: apt-get install ansible-core\n"
            + "Or write 'run_in: guest' in the step: then the machine has its own, and this host needs none."
    }
    var kind: ErrorKind { .hostNotAble }
}

/// A folder for what Ansible reads while a playbook runs, which may be secret. It is locked for as long.
private struct PlaybookFolder: ~Copyable {
    private let path: FilePath
    private let lock: OwnedDescriptor

    static func make(in layout: ProjectLayout) throws -> PlaybookFolder {
        let parent = layout.state.appending("ansible")
        try FileSystem.makeDirectory(parent, permissions: 0o700)
        // What killed commands have left.
        for name in try FileSystem.list(parent) {
            let left = parent.appending(name)
            guard let file = try? OwnedDescriptor.open(left.appending("lock"), .readWrite),
                (try? OpenFileLock.tryLock(file, .exclusive)) == true
            else { continue }
            try FileSystem.removeTree(left)
        }
        let path = parent.appending(randomIdentifier(bytes: 6))
        try FileSystem.makeDirectory(path, permissions: 0o700)
        let lock = try OwnedDescriptor.open(path.appending("lock"), [.readWrite, .create], permissions: 0o600)
        _ = try OpenFileLock.tryLock(lock, .exclusive)
        return PlaybookFolder(path: path, lock: lock)
    }

    /// - Returns: Its path.
    func write(_ bytes: [UInt8], as name: String) throws -> String {
        let file = path.appending(name)
        try OwnedDescriptor.open(file, [.writeOnly, .create, .exclusive], permissions: 0o600).writeAll(bytes)
        return file.string
    }

    func remove() { try? FileSystem.removeTree(path) }
}
