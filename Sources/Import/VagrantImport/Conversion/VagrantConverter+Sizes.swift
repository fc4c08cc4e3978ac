import RubyReader

/// Processors and memory, as providers have them.
extension VagrantConverter {
    func convertSizes(_ machine: EffectiveMachine, _ result: inout WanderfileMachine) {
        let customized = customizations(machine)
        if let cpus = machine.providerSetting("cpus") ?? customized["cpus"],
            let count = number(cpus, "cpus", in: 1...255)
        {
            result.set("cpus", .plain(count.text), line: cpus.line)
            remarks.taken("cpus", as: "cpus: \(count.text)", at: cpus.line)
        }
        let memory = machine.providerSetting("memory") ?? machine.providerSetting("memsize") ?? customized["memory"]
        if let memory, let mebibytes = number(memory, "memory", in: 1...Int.max) {
            let value = size(mebibytes, at: memory.line)
            result.set("memory", value, line: memory.line)
            remarks.taken("memory", as: "memory: \(WanderfileWriter.inline(value))", at: memory.line)
        }
        convertDisk(machine, &result)
    }

    /// Vagrant counts memory in MiB.
    private func size(_ mebibytes: VagrantNumber, at line: Int) -> WanderfileValue {
        let bounds = 64...16 << 20
        if mebibytes.value < bounds.lowerBound { remarks.changed("memory", "64MiB is the least", at: line) }
        if mebibytes.value > bounds.upperBound { remarks.changed("memory", "16TiB is the most", at: line) }
        guard mebibytes.isFixed || !bounds.contains(mebibytes.value) else { return mebibytes.with("MiB") }
        let number = min(max(mebibytes.value, bounds.lowerBound), bounds.upperBound)
        return .plain(number % 1024 == 0 ? "\(number / 1024)GiB" : "\(number)MiB")
    }

    /// `customize ["modifyvm", :id, "--memory", 1024]`: what of it has a key of its own, by that name.
    private func customizations(_ machine: EffectiveMachine) -> [String: VagrantSetting] {
        var found: [String: VagrantSetting] = [:]
        for provider in machine.providers {
            guard VagrantEnvironment.localProviders.contains(provider.name) else {
                remarks.dropped(
                    "provider \"\(provider.name)\"", "not needed: the machine runs on this host", at: provider.line,
                    isImportant: false)
                continue
            }
            for call in provider.calls {
                guard call.name == "customize" else {
                    tell(call, of: provider)
                    continue
                }
                let words = call.arguments.first?.items ?? call.arguments
                let texts = words.map { $0.text ?? "" }
                if ["createhd", "createmedium", "storageattach", "storagectl"].contains(texts.first) {
                    remarks.dropped("customize", "a machine has one disk here: another one is left out", at: call.line)
                    continue
                }
                for (index, text) in texts.enumerated() where text.hasPrefix("--") {
                    let name = String(text.dropFirst(2))
                    let value = words.indices.contains(index + 1) ? words[index + 1] : .null
                    if name == "memory" || name == "cpus" {
                        found[name] = VagrantSetting(value: value, line: call.line)
                    } else if name != "name" {
                        remarks.dropped(
                            "customize \(text)", "a setting of \(provider.name)'s own", at: call.line,
                            isImportant: false)
                    }
                }
            }
            for (name, setting) in provider.settings where !["memory", "cpus", "machine_virtual_size"].contains(name) {
                remarks.dropped(
                    "\(provider.name): \(name)", "a setting of \(provider.name)'s own", at: setting.line,
                    isImportant: false)
            }
        }
        return found
    }

    private func tell(_ call: RubyCall, of provider: VagrantProvider) {
        if call.name == "storage" {
            remarks.dropped("storage", "a machine has one disk here: another one is left out", at: call.line)
        } else {
            remarks.dropped(
                "\(provider.name): \(call.name)", "a setting of \(provider.name)'s own", at: call.line,
                isImportant: false)
        }
    }
}
