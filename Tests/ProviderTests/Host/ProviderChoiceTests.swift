import EnvFile
import Reporting
import Testing

@testable import Provider

@Suite struct ProviderChoiceTests {
    static let usable = HostProbe(isUsable: true, verdict: "usable", reason: "KVM runs guest kernels")
    static let emulating = HostProbe(isUsable: false, verdict: "emulating", reason: "it interprets guests")

    @Test("KVM is taken where the probe guest ran well, without a word")
    func usableHost() throws {
        let choice = try ProviderChoice.make(forced: nil, wanted: .auto) { Self.usable }
        #expect(choice.kind == .kvm)
        #expect(!choice.isFallback)
    }

    @Test("elsewhere emulation is taken, with the reason")
    func emulatingHost() throws {
        try withEmulator {
            let choice = try ProviderChoice.make(forced: nil, wanted: .auto) { Self.emulating }
            #expect(choice.kind == .emulation)
            #expect(choice.isFallback)
            #expect(choice.reason == Self.emulating.reason)
        }
    }

    @Test("what was asked for is taken or refused, never replaced", arguments: [true, false])
    func forced(byCommandLine: Bool) throws {
        let forced: ProviderKind? = byCommandLine ? .kvm : nil
        #expect {
            try ProviderChoice.make(forced: forced, wanted: .kvm) { Self.emulating }
        } throws: { error in
            guard case ProviderError.kvmNotUsable(let reason) = error else { return false }
            return reason == Self.emulating.reason && (error as? any UserFacingError)?.kind == .hostNotAble
        }
        try withEmulator {
            // The command line outranks the file, and emulation needs no probe.
            let choice = try ProviderChoice.make(forced: .emulation, wanted: .kvm) {
                Issue.record("emulation was asked for: no guest is needed to find out about KVM")
                return Self.usable
            }
            #expect(choice.kind == .emulation)
        }
    }

    /// The choice looks for the emulator in PATH; without one, that is what it says.
    private func withEmulator(_ body: () throws -> Void) throws {
        if EmulationProvider.program != nil {
            try body()
        } else {
            #expect(throws: ProviderError.self) { try ProviderChoice.make(forced: .emulation, wanted: .auto) }
        }
    }
}
