import EnvFile
import LinuxSystem
import Provisioning
import SystemPackage

/// What runs a project's machines, connects them, and works in them. Commands use ``standard(programs:)``. Tests of
/// machines' lives bring their own, so a whole life boots nothing.
struct MachineServices: Sendable {
    /// Which provider runs a machine here: see ``ProviderChoice/make(forced:wanted:probe:)``.
    var choose: @Sendable (ProviderKind?, MachineDefinition.Provider.Kind) throws -> ProviderChoice
    var provider: @Sendable (ProviderKind) -> any MachineProvider
    var network: @Sendable (ProjectLayout) -> any EnvironmentNetwork
    var guest: @Sendable (Machine, MachineJournal) -> any GuestWork
    /// Runs a playbook by the host's Ansible.
    var runPlaybook:
        @Sendable (Project, PlaybookAction, (HostCommand.Stream, [UInt8]) -> Void) throws -> HostCommand.Ending = {
            try PlaybookJob($0).run($1, output: $2)
        }

    /// wander-vmm and QEMU, wander-net, and SSH.
    /// - Parameter programs: The folder of wander's executables.
    static func standard(programs: FilePath) -> MachineServices {
        MachineServices(
            choose: { forced, wanted in try ProviderChoice.make(forced: forced, wanted: wanted) },
            provider: { kind in
                switch kind {
                case .emulation: EmulationProvider(programs: programs)
                case .kvm: MonitorProvider(programs: programs)
                }
            },
            network: { WanderNetwork(layout: $0, program: programs.appending("wander-net")) },
            guest: { SSHGuest($0, $1) })
    }
}
