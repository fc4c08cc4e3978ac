import LinuxSystem
public import Reporting
import SystemPackage
import YAML

extension Environment {
    /// What the host lacks: files and folders that the definitions name. It is not part of loading, so that `status` or
    /// `destroy` work on a project whose scripts are gone.
    /// - Parameters:
    ///   - machines: The machines to look at.
    ///   - withBoxes: Whether box files must be there: machines that exist no longer need theirs.
    public func hostProblems(for machines: [MachineDefinition], withBoxes: Bool = true) -> [Diagnostic] {
        var problems: [Diagnostic] = []
        for machine in machines {
            let path = "machines.\(machine.name)"
            if withBoxes, case .path(let box) = machine.box.source {
                require(box, "the box", "\(path).box.ref", &problems)
            }
            for (index, file) in machine.files.enumerated() {
                guard case .source(let source) = file.content else { continue }
                require(source, "the file", "\(path).files[\(index)].source", &problems, orFolder: true)
            }
            for (index, certificate) in machine.caCertificates.enumerated() {
                require(certificate, "the certificate", "\(path).ca_certificates[\(index)]", &problems)
            }
            for (index, share) in machine.shares.enumerated() {
                require(share, "\(path).shares[\(index)].host", &problems)
            }
            for (index, step) in machine.provision.enumerated() {
                let place = "\(path).provision[\(index)]"
                switch step.action {
                case .script(let script): require(script, "the script", "\(place).script", &problems)
                case .ansible(let playbook): require(playbook, "\(place).ansible", &problems)
                case .file(let file):
                    guard case .source(let source) = file.content else { continue }
                    require(source, "the file", "\(place).file.source", &problems, orFolder: true)
                case .inline, .restart: break
                }
            }
        }
        for (index, playbook) in ansible.playbooks.enumerated()
        where machines.contains(where: { playbook.machines.contains($0.name) }) {
            require(playbook.definition, "ansible.playbooks[\(index)].ansible", &problems)
        }
        return problems.inOrder(of: texts)
    }

    private func require(_ share: SharedFolder, _ origin: String, _ problems: inout [Diagnostic]) {
        let resolved = share.host.resolved(in: projectDirectory)
        let kind = (try? FileSystem.status(resolved))??.kind
        guard kind != .directory, kind != nil || !share.createsHost else { return }
        let long = "{ host: \(share.host), guest: \(share.guest), create: true }"
        let diagnostic = problem(
            kind == nil
                ? "the folder '\(share.host)' to share is not there" : "'\(share.host)', to be shared, is not a folder",
            hint: kind == nil
                ? "Make it, or let wander do so: \(long)" : "A share takes a folder; 'files' copies files.",
            at: origin)
        if !problems.contains(diagnostic) { problems.append(diagnostic) }
    }

    private func require(_ playbook: PlaybookDefinition, _ origin: String, _ problems: inout [Diagnostic]) {
        require(playbook.playbook, "the playbook", "\(origin).playbook", &problems)
        for (path, key) in [
            (playbook.configuration, "config"), (playbook.galaxy, "galaxy"),
            (playbook.vaultPasswordFile, "vault_password_file"),
        ] {
            if let path { require(path, "the file", "\(origin).\(key)", &problems) }
        }
        for (index, path) in playbook.inputs.enumerated() {
            require(path, "the file", "\(origin).inputs[\(index)]", &problems, orFolder: true)
        }
    }

    private func require(
        _ path: HostPath, _ what: String, _ origin: String, _ problems: inout [Diagnostic], orFolder: Bool = false
    ) {
        let resolved = path.resolved(in: projectDirectory)
        let kind = (try? FileSystem.status(resolved))??.kind
        if kind == .regular || orFolder && kind == .directory { return }
        let wanted = orFolder ? "neither a file nor a folder" : "not a regular file"
        let message = kind == nil ? "\(what) '\(path)' is not there" : "\(what) '\(path)' is \(wanted)"
        let diagnostic = problem(message, hint: nil, at: origin)
        // Machines of a group, and machines with the same defaults, name the same file.
        if !problems.contains(diagnostic) { problems.append(diagnostic) }
    }
}
