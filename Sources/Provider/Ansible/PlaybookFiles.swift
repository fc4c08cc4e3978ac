import EnvFile
import LinuxSystem
import Provisioning
import SystemPackage

/// The files of the host that a playbook consists of, each by its place among them: what a change in is looked for, and
/// what goes along into a guest.
struct PlaybookFiles {
    /// What Ansible looks for beside a playbook.
    static let known = [
        "ansible.cfg", "callback_plugins", "collections", "files", "filter_plugins", "group_vars", "handlers",
        "host_vars", "library", "lookup_plugins", "module_utils", "playbooks", "requirements.yml", "roles", "tasks",
        "templates", "vars",
    ]

    private let project: FilePath
    private(set) var inputs: [PlaybookAction.Input] = []

    /// - Parameter project: The folder of the Wanderfile.
    init(_ definition: PlaybookDefinition, in project: FilePath) {
        self.project = project.lexicallyNormalized()
        let playbook = definition.playbook.resolved(in: project)
        let folder = playbook.removingLastComponent()
        if self.project.starts(with: folder) {
            // The whole project, or what it is in, is not the playbook's.
            for name in Self.known where (try? FileSystem.exists(folder.appending(name))) == true {
                _ = add(folder.appending(name))
            }
            _ = add(playbook)
        } else {
            _ = add(folder)
        }
        for path in definition.hostPaths.dropFirst() where path != definition.vaultPasswordFile {
            _ = add(path.resolved(in: project))
        }
    }

    /// - Returns: Its place.
    mutating func add(_ path: FilePath) -> String {
        for input in inputs where path.starts(with: input.path) {
            let rest = path.components.dropFirst(input.path.components.count).map(\.string)
            return ([input.name] + rest).joined(separator: "/")
        }
        var name = "outside-\(inputs.count)/\(path.lastComponent?.string ?? "")"
        if path != project, path.starts(with: project) {
            name = path.components.dropFirst(project.components.count).map(\.string).joined(separator: "/")
        }
        inputs.append(PlaybookAction.Input(path, name: name))
        return name
    }
}
