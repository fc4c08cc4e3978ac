import RubyReader

/// Makes machines of a Wanderfile from those of a Vagrantfile. Everything that it does not take is told.
final class VagrantConverter {
    let remarks: ImportRemarks
    let host: VagrantFolderHost
    let keepsRelease: Bool
    /// Host ports that machines have, as `8080/tcp`: two machines cannot have the same.
    var hostPorts: Set<String> = []
    var hostnames: Set<String> = []
    /// Machines by their names here, with the name that the Vagrantfile gives each.
    private(set) var names: [(old: String, new: String)] = []
    private(set) var refused: [String] = []

    init(host: VagrantFolderHost, keepsRelease: Bool, remarks: ImportRemarks) {
        self.host = host
        self.keepsRelease = keepsRelease
        self.remarks = remarks
    }

    /// Machines of one environment.
    private static let machineLimit = 256

    func machines(_ all: [EffectiveMachine]) -> (machines: [WanderfileMachine], network: WanderfileItem?) {
        if all.count > Self.machineLimit {
            remarks.dropped("define", "only the first \(Self.machineLimit) machines are taken", at: 0)
        }
        let kept = all.prefix(Self.machineLimit).filter { !isRefused($0) }
        for machine in kept { names.append((machine.name, name(for: machine))) }
        var plan = VagrantNetworkPlan(kept, remarks: remarks)
        var machines: [WanderfileMachine] = []
        var hasPrimary = false
        for (index, machine) in kept.enumerated() {
            var result = WanderfileMachine(name: names[index].new, line: machine.line)
            convertBox(machine, &result)
            convertSizes(machine, &result)
            convertSettings(machine, &result)
            convertPorts(machine, &result)
            plan.convert(machine, &result)
            convertProxy(machine, &result)
            convertFolders(machine, &result)
            convertSteps(machine, &result)
            tellOthers(machine)
            if case .flag(true)? = machine.definition?.option("primary") {
                if hasPrimary {
                    remarks.changed("primary", "only the first primary machine is one", at: machine.line)
                } else {
                    result.set("primary", .plain("true"), line: machine.line)
                }
                hasPrimary = true
            }
            if case .flag(false)? = machine.definition?.option("autostart") {
                result.set("autostart", .plain("false"), line: machine.line)
            }
            machines.append(result)
        }
        return (machines, plan.network)
    }

    // MARK: - Names

    private func name(for machine: EffectiveMachine) -> String {
        var name = ""
        for byte in machine.name.lowercased().utf8 {
            let isFine = (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte)
            if isFine {
                name.append(Character(Unicode.Scalar(byte)))
            } else if !name.isEmpty, !name.hasSuffix("-") {
                name += "-"
            }
        }
        if name.utf8.first.map({ !(0x61...0x7a).contains($0) }) ?? true {
            name = "m" + (name.isEmpty ? "" : "-\(name)")
        }
        name = String(name.prefix(36))
        while name.hasSuffix("-") { name.removeLast() }
        var unique = name
        var number = 2
        while names.contains(where: { $0.new == unique }) {
            unique = "\(name)-\(number)"
            number += 1
        }
        if unique != machine.name {
            remarks.changed("define \"\(machine.name)\"", "the machine is called '\(unique)' here", at: machine.line)
        }
        return unique
    }

    // MARK: - Refused

    /// Whether nothing here can run the machine; then it has been told.
    private func isRefused(_ machine: EffectiveMachine) -> Bool {
        let box = machine.settings["vm.box"]
        let name = box?.text ?? ""
        let line = box?.line ?? machine.line
        let title = machine.isOnly ? "the machine" : "the machine '\(machine.name)'"
        let guest = machine.settings["vm.guest"]?.value.symbolOrText ?? ""
        let communicator = machine.settings["vm.communicator"]?.value.symbolOrText ?? ""
        if guest.hasPrefix("windows") || communicator.hasPrefix("win") || VagrantBoxes.isWindows(name) {
            remarks.dropped("vm.box", "\(title) is Windows, which wander does not run", at: line)
            refused.append(machine.name)
            return true
        }
        let others = machine.providers.filter { !VagrantEnvironment.localProviders.contains($0.name) }
        let isLocal = machine.providers.count > others.count
        guard let other = others.first, !isLocal, box == nil || VagrantBoxes.isDummy(name) else { return false }
        remarks.dropped("provider \"\(other.name)\"", "\(title) is only for this provider", at: other.line)
        refused.append(machine.name)
        return true
    }
}
