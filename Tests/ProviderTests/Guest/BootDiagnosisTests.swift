import JSON
import LinuxSystem
import MonitorControl
import SSH
import Testing

@testable import Provider

/// What is said of a machine that did not become ready.
@Suite struct BootDiagnosisTests {
    /// - Parameter provider: Who ran the machine that left this end.
    private func explanation(_ end: MonitorEnd, provider: String, start: String) throws -> ProviderError {
        let fixture = try MachineFixture()
        let box = try fixture.addBox(1)
        let created = try fixture.machine.exclusively {
            try Creation(fixture.machine).make(from: box, provider: .kvm).record
        }
        try fixture.machine.folder.prepareRun()
        try AtomicFile.write(end.json.compact, to: fixture.machine.folder.endRecord)
        let record = try created.with(["provider": .string(provider), "start": .string(start)])
        let error = BootDiagnosis(fixture.machine, record).explain(.machineEnded)
        return try #require(error as? ProviderError)
    }

    @Test("why the monitor gave up is in the message, and the other firmware in the advice")
    func givenUp() throws {
        let end = MonitorEnd(reason: .guestFailure, detail: "GRUB does not find its files")
        let error = try explanation(end, provider: "kvm", start: "bios")
        #expect(error.summary == "default ended while it was starting: GRUB does not find its files")
        #expect(error.remedy?.contains("'firmware: uefi'") == true)
        let other = try explanation(end, provider: "kvm", start: "kernel")
        #expect(other.remedy?.contains("firmware:") == false)
    }

    @Test("a guest that ended itself, and what another provider left, are no reason")
    func noReason() throws {
        let own = try explanation(MonitorEnd(reason: .powerOff), provider: "kvm", start: "uefi")
        #expect(own.summary == "default ended while it was starting")
        #expect(own.remedy?.contains("'firmware: bios'") == true)
        let end = MonitorEnd(reason: .guestFailure, detail: "old")
        #expect(try explanation(end, provider: "emulation", start: "bios").summary == own.summary)
    }
}
