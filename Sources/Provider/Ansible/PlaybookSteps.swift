import EnvFile
import JSON
import LinuxSystem
import Provisioning
import SystemPackage

extension Environment {
    /// A playbook of a machine, or of several, as a step does it.
    func playbook(
        _ definition: PlaybookDefinition, for names: [String], arguments: [String], environment: [String: String],
        timeout: Duration?, secrets: [String] = []
    ) -> PlaybookAction {
        let project = projectDirectory
        var files = PlaybookFiles(definition, in: project)
        var options: [String] = []
        if definition.runIn == .host { options += ["--limit", definition.limit ?? names.joined(separator: ",")] }
        if !definition.tags.isEmpty { options += ["--tags", definition.tags.joined(separator: ",")] }
        if !definition.skipTags.isEmpty { options += ["--skip-tags", definition.skipTags.joined(separator: ",")] }
        // In the guest it is root's as a whole.
        if definition.runIn == .host, definition.becomes { options.append("--become") }
        let inventory =
            definition.runIn == .host
            ? AnsibleInventory(self, hosts: machines.map { JSONMember($0.name, [:]) })
            : AnsibleInventory(self, hosts: names.map { JSONMember($0, ["ansible_connection": "local"]) })
        var action = PlaybookAction(
            isInGuest: definition.runIn == .guest, playbook: files.add(definition.playbook.resolved(in: project)),
            inputs: [], options: options + arguments,
            variables: definition.variables.isEmpty
                ? [] : Array(JSONValue.object(definition.variables).pretty.utf8),
            inventory: Array(PlainYAML.text(inventory.tree).utf8), environment: environment, timeout: timeout)
        action.configuration = configuration(definition, &files)
        action.galaxy = definition.galaxy.map { files.add($0.resolved(in: project)) }
        action.vaultPasswordFile = definition.vaultPasswordFile.map { files.add($0.resolved(in: project)) }
        if !definition.becomes { action.user = nil }
        (action.inputs, action.secrets) = (files.inputs, secrets)
        return action
    }

    /// The one that the file names, or one beside the playbook where Ansible, which is started in the project's folder,
    /// finds none.
    private func configuration(_ definition: PlaybookDefinition, _ files: inout PlaybookFiles) -> String? {
        if let given = definition.configuration { return files.add(given.resolved(in: projectDirectory)) }
        let beside = definition.playbook.resolved(in: projectDirectory).removingLastComponent()
            .appending("ansible.cfg")
        let own = projectDirectory.appending("ansible.cfg")
        guard beside != own, FileSystem.isAbsent(own), !FileSystem.isAbsent(beside) else { return nil }
        return files.add(beside)
    }

    /// The project's playbooks that a machine runs itself, as steps of its own.
    func guestPlaybooks(for machine: String) -> [ProvisioningStep] {
        ansible.playbooks.filter { $0.definition.runIn == .guest && $0.machines.contains(machine) }
            .map { step($0, for: [machine]) }
    }

    func step(_ playbook: ProjectPlaybook, for machines: [String]) -> ProvisioningStep {
        ProvisioningStep(
            name: playbook.name,
            action: .playbook(
                self.playbook(
                    playbook.definition, for: machines, arguments: playbook.arguments,
                    environment: playbook.environment, timeout: playbook.timeout)),
            when: ProvisioningStep.When(playbook.when), isSensitive: playbook.isSensitive)
    }
}

extension [JSONMember] {
    /// Every text in the values.
    var texts: [String] {
        flatMap { member -> [String] in
            switch member.value {
            case .string(let text): [text]
            case .array(let values): values.map { JSONMember("", $0) }.texts
            case .object(let members): members.texts
            default: []
            }
        }
    }
}
