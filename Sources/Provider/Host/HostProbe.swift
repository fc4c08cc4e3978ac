import KVM
import Reporting

/// What this host's /dev/kvm can do, in words.
public struct HostProbe: Sendable, Hashable {
    public var isUsable: Bool
    /// One word: `usable`, `missing`, `not-permitted`, `unsuitable` or `emulating`.
    public var verdict: String
    /// Why it is usable or not, on one line.
    public var reason: String
    public var remedy: String?
    /// How many kernel-mode instructions of a guest it runs in a second; nil if none ran.
    public var instructionsPerSecond: Double?

    /// Runs the probe guest: a few milliseconds.
    public static func run() -> HostProbe {
        let probe = Probe.run()
        let rate = probe.instructionsPerSecond
        let (verdict, reason): (String, String) =
            switch probe.verdict {
            case .usable: ("usable", "KVM runs guest kernels")
            case .missing: ("missing", "this host has no \(probe.device)")
            case .notPermitted: ("not-permitted", "no permission to open \(probe.device)")
            case .unsuitable: ("unsuitable", probe.error?.summary ?? "its KVM lacks something that machines need")
            case .emulating:
                (
                    "emulating",
                    "this host's /dev/kvm interprets the kernel of a guest in software instead of running it on the processor"
                )
            }
        let remedy =
            probe.verdict == .emulating
            ? "Use a host with hardware virtualization (in a cloud, an instance with nested virtualization), or stay with "
                + "'--provider emulation'." : probe.error?.remedy
        return HostProbe(
            isUsable: probe.verdict == .usable, verdict: verdict, reason: reason, remedy: remedy,
            instructionsPerSecond: rate)
    }
}
