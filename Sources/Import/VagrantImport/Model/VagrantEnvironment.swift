import RubyReader

/// A machine as Vagrant would see it: the file's settings, the machine's own, and those for its provider.
struct EffectiveMachine {
    var name: String
    var line: Int
    var isOnly: Bool
    var definition: VagrantMachine?
    var settings: [String: VagrantSetting] = [:]
    var networks: [VagrantNetwork] = []
    /// By the place in the guest; the last one counts.
    var folders: [VagrantFolder] = []
    var steps: [VagrantStep] = []
    /// The one that counts first.
    var providers: [VagrantProvider] = []
    var others: [(path: String, line: Int)] = []

    /// What the provider that counts says, or the next one.
    func providerSetting(_ name: String) -> VagrantSetting? {
        providers.lazy.compactMap { $0.settings[name] }.first { !$0.value.isNull }
    }
}

enum VagrantEnvironment {
    /// Those that run machines on this host, in the order in which they count.
    static let localProviders = [
        "libvirt", "virtualbox", "qemu", "vmware_desktop", "vmware_fusion", "vmware_workstation", "vmware", "parallels",
        "hyperv", "utm", "lxc", "kvm",
    ]

    static func machines(of file: VagrantScope) -> [EffectiveMachine] {
        guard !file.machines.isEmpty else {
            return [effective([file], name: "default", line: 0, definition: nil)]
        }
        return file.machines.map { machine in
            effective([file, machine.scope], name: machine.name, line: machine.line, definition: machine)
        }
    }

    private static func effective(
        _ levels: [VagrantScope], name: String, line: Int, definition: VagrantMachine?
    ) -> EffectiveMachine {
        var machine = EffectiveMachine(name: name, line: line, isOnly: definition == nil, definition: definition)
        machine.providers = levels.flatMap(\.providers)
        let chosen = localProviders.first { name in machine.providers.contains { $0.name == name } }
        // Settings of one provider at several levels: the machine's own count first, so they come first.
        machine.providers = machine.providers.reversed().enumerated().sorted { left, right in
            (rank(left.element.name), left.offset) < (rank(right.element.name), right.offset)
        }.map(\.element)
        for level in levels { add(level, to: &machine) }
        for provider in machine.providers.reversed() where provider.name == chosen {
            add(provider.override, to: &machine)
        }
        return machine
    }

    private static func rank(_ provider: String) -> Int {
        localProviders.firstIndex(of: provider) ?? localProviders.count
    }

    private static func add(_ level: VagrantScope, to machine: inout EffectiveMachine) {
        machine.settings.merge(level.settings) { $1 }
        for network in level.networks {
            // An id names a forward: a later one with the same id is in its place.
            if let id = network.options.named("id")?.text,
                let index = machine.networks.firstIndex(where: { $0.options.named("id")?.text == id })
            {
                machine.networks[index] = network
            } else {
                machine.networks.append(network)
            }
        }
        for folder in level.folders {
            if let guest = folder.guest.text,
                let index = machine.folders.firstIndex(where: { $0.guest.text == guest })
            {
                var merged = folder
                merged.options = self.merged(machine.folders[index].options, folder.options)
                machine.folders[index] = merged
            } else {
                machine.folders.append(folder)
            }
        }
        machine.steps = joined(machine.steps, collapsed(level.steps))
        machine.others += level.others
    }

    /// Steps of one level: a name that comes again says more about the step that has it.
    private static func collapsed(_ steps: [VagrantStep]) -> [VagrantStep] {
        steps.reduce(into: []) { result, step in
            if let name = step.name, let index = result.firstIndex(where: { $0.name == name }) {
                result[index] = merged(result[index], step)
            } else {
                result.append(step)
            }
        }
    }

    /// Steps of two levels. One that the inner level names again runs with those of the inner level, unless it keeps
    /// its place by `preserve_order`.
    private static func joined(_ outer: [VagrantStep], _ inner: [VagrantStep]) -> [VagrantStep] {
        var rest = inner
        var result: [VagrantStep] = []
        for step in outer {
            guard let name = step.name, let index = rest.firstIndex(where: { $0.name == name }) else {
                result.append(step)
                continue
            }
            rest[index] = merged(step, rest[index])
            if case .flag(true)? = rest[index].option("preserve_order") { result.append(rest.remove(at: index)) }
        }
        return result + rest
    }

    private static func merged(_ base: RubyTable, _ other: RubyTable) -> RubyTable {
        let options = RubyTable()
        for table in [base, other] {
            for (key, value) in zip(table.keys, table.values) { options[.symbol(key.symbolOrText ?? "")] = value }
        }
        return options
    }

    private static func merged(_ base: VagrantStep, _ other: VagrantStep) -> VagrantStep {
        let step = VagrantStep(
            name: other.name, type: other.type, options: merged(base.options, other.options), line: other.line)
        step.calls = base.calls + other.calls
        step.lines = base.lines.merging(other.lines) { $1 }
        return step
    }
}
