import KVM
import SystemPackage
import Testing

@Suite struct ProbeTests {
    @Test("a device that is not there is missing, with what to do about it")
    func missing() {
        let probe = Probe.run(device: "/dev/no-such-kvm")
        #expect(probe.verdict == .missing)
        #expect(probe.error?.remedy?.contains("modprobe") == true)
    }

    @Test("this host's KVM gives a verdict that agrees with the speed measured", .enabled(if: Host.hasKVM))
    func verdict() throws {
        let probe = Probe.run()
        let speed = try #require(probe.instructionsPerSecond)
        #expect(probe.apiVersion == 12)
        #expect(probe.verdict == (speed < Probe.slowest ? .emulating : .usable))
    }
}
