import RubyReader

/// Provisioners.
extension VagrantConverter {
    func convertSteps(_ machine: EffectiveMachine, _ result: inout WanderfileMachine) {
        for step in machine.steps {
            switch step.type {
            case "shell": convertShell(step, &result)
            case "file": convertFile(step, machine, &result)
            case "ansible", "ansible_local": convertAnsible(step, machine, &result)
            case "docker", "podman": convertContainers(step, &result)
            case "reload", "unix_reboot":
                addStep(step, [.init(name: "reboot", value: .plain("true"))], &result)
                remarks.taken("provision \"\(step.type)\"", as: "provision: reboot: true", at: step.line)
            case "hosts", "hostmanager":
                remarks.dropped(
                    "provision \"\(step.type)\"", "not needed: machines know each other by name", at: step.line,
                    isImportant: false)
            case "puppet", "puppet_server", "chef_solo", "chef_zero", "chef_client", "chef_apply", "salt", "cfengine":
                remarks.dropped(
                    "provision \"\(step.type)\"",
                    "there is no such step: a 'run' that installs and calls it does the same",
                    at: step.line)
            default:
                remarks.dropped("provision \"\(step.type)\"", "there is no such step", at: step.line)
            }
        }
    }

    /// Adds a step with the name and the time that the provisioner has.
    func addStep(_ step: VagrantStep, _ members: [WanderfileValue.Member], _ result: inout WanderfileMachine) {
        var members = members
        switch step.option("run")?.symbolOrText {
        case "always": members.append(.init(name: "when", value: .plain("always")))
        case "never": members.append(.init(name: "when", value: .plain("manual")))
        case nil, "once": break
        case let other?:
            remarks.changed("provision run: \"\(other)\"", "the step runs as others do", at: step.line)
        }
        for order in ["before", "after"] where step.option(order) != nil {
            remarks.changed("provision \(order)", "steps run in the order of the file", at: step.line)
        }
        addStep(step.name, at: step.line, members, &result)
    }

    func addStep(
        _ name: String?, at line: Int, _ members: [WanderfileValue.Member], _ result: inout WanderfileMachine
    ) {
        var members = members
        if let name = name.map({ OneLine.text(RubyPlaceholder.withoutVariables($0), limit: 90) }), !name.isEmpty {
            let known = result.items(of: "provision").compactMap { item -> String? in
                guard case .map(let members) = item.value, let first = members.first, first.name == "name",
                    case .text(let text) = first.value
                else { return nil }
                return text
            }
            var unique = VagrantText.filled(name)
            var number = 2
            while known.contains(unique) {
                unique = "\(VagrantText.filled(name)) (\(number))"
                number += 1
            }
            members.insert(.init(name: "name", value: .text(unique)), at: 0)
        }
        result.add(.map(members), to: "provision", line: line)
    }
}
