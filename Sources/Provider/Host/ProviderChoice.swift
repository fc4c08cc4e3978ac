public import EnvFile
import KVM
import LinuxSystem

/// Which provider runs a machine here, and the reason on one line.
public struct ProviderChoice: Sendable, Hashable {
    public var kind: ProviderKind
    public var reason: String
    /// Whether wander chose the slow provider although nobody asked for it: worth a message.
    public var isFallback: Bool

    /// - Parameters:
    ///   - forced: From the command line.
    ///   - wanted: From the Wanderfile.
    /// - Throws: ``ProviderError/kvmNotUsable(reason:)``, ``ProviderError/emulatorMissing`` or
    ///   ``ProviderError/noProvider(reason:)``.
    public static func make(
        forced: ProviderKind?, wanted: MachineDefinition.Provider.Kind, probe: () -> HostProbe = HostProbe.run
    ) throws(ProviderError) -> ProviderChoice {
        let asked: ProviderKind? =
            switch (forced, wanted) {
            case (let forced?, _): forced
            case (nil, .kvm): .kvm
            case (nil, .emulation): .emulation
            case (nil, .auto): nil
            }
        let origin = forced != nil ? "asked for by --provider" : "asked for by the Wanderfile"
        if asked == .emulation {
            guard EmulationProvider.program != nil else { throw .emulatorMissing }
            return ProviderChoice(kind: .emulation, reason: origin, isFallback: false)
        }
        let host = probe()
        if asked == .kvm {
            guard host.isUsable else { throw .kvmNotUsable(reason: host.reason) }
            return ProviderChoice(kind: .kvm, reason: origin, isFallback: false)
        }
        if host.isUsable { return ProviderChoice(kind: .kvm, reason: host.reason, isFallback: false) }
        guard EmulationProvider.program != nil else { throw .noProvider(reason: host.reason) }
        return ProviderChoice(kind: .emulation, reason: host.reason, isFallback: true)
    }
}
