import ArgumentParser
import Provider
import Reporting

/// Options of the commands that change machines.
struct MachineOptions: ParsableArguments {
    @Argument(
        help: "Machines, by name or pattern such as 'web*'. Without one, all of them.",
        completion: Completions.machines)
    var machines: [String] = []
    @Option(help: "How long to wait for another command that holds a machine, in seconds.") var wait: WaitingTime?
}

/// Options of the commands that provision.
struct ProvisioningOptions: ParsableArguments {
    @Flag(help: "Run every provisioner, including those that have succeeded.") var provision = false
    @Flag(name: .customLong("no-provision"), help: "Run no provisioner.") var noProvision = false
    @Option(
        name: .customLong("provision-with"), help: "Run only these steps: their names, with commas between them.",
        completion: Completions.provisioners)
    var provisionWith: String?

    func validate() throws {
        guard [provision, noProvision, provisionWith != nil].filter({ $0 }).count <= 1 else {
            throw ValidationError("--provision, --no-provision and --provision-with exclude each other.")
        }
    }

    var choice: ProvisioningChoice {
        if let provisionWith { return .only(provisionWith.split(separator: ",").map(String.init)) }
        return noProvision ? .none : provision ? .all : .asNeeded
    }
}

enum ProviderOption: String, ExpressibleByArgument, CaseIterable {
    case auto, kvm, emulation

    var kind: ProviderKind? {
        switch self {
        case .auto: nil
        case .kvm: .kvm
        case .emulation: .emulation
        }
    }
}
