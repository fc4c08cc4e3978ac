public import JSON
import LinuxSystem
public import SystemPackage

/// One thing that `wander doctor` looked at.
public struct Finding: Sendable, Hashable {
    public enum Verdict: String, Sendable, Hashable { case good, warning, bad }
    public var subject: String
    public var verdict: Verdict
    public var words: String
    public var remedy: String?

    public var json: JSONValue {
        [
            "subject": .string(subject), "verdict": .string(verdict.rawValue), "words": .string(words),
            "remedy": .optional(remedy),
        ]
    }
}

/// Looks at what wander needs of a host.
public enum HostExamination {
    /// - Parameters:
    ///   - programs: Where wander's executables are.
    ///   - store: Where boxes are kept.
    public static func findings(programs: FilePath, store: FilePath) -> [Finding] {
        var findings: [Finding] = []
        let host = HostProbe.run()
        let emulator = EmulationProvider.program
        findings.append(
            Finding(
                subject: "KVM", verdict: host.isUsable ? .good : emulator == nil ? .bad : .warning, words: host.reason,
                remedy: host.remedy))
        findings.append(
            Finding(
                subject: "emulation", verdict: emulator != nil ? .good : host.isUsable ? .warning : .bad,
                words: emulator ?? "qemu-system-x86_64 is not installed",
                remedy: emulator == nil ? "sudo apt-get install qemu-system-x86" : nil))
        findings.append(
            Finding(
                subject: "provider", verdict: host.isUsable || emulator != nil ? .good : .bad,
                words: host.isUsable ? "kvm" : emulator != nil ? "emulation, much slower than KVM" : "none"))
        for name in ["wander-vmm", "wander-net", "wander-share", "wander-log"] {
            let path = programs.appending(name)
            let isThere = !FileSystem.isAbsent(path)
            findings.append(
                Finding(
                    subject: name, verdict: isThere ? .good : .bad,
                    words: isThere ? path.string : "not found in \(programs)",
                    remedy: isThere ? nil : "Install wander's executables together."))
        }
        findings += StartMethod.Firmware.allCases.map(Self.firmware)
        let ssh = findExecutable("ssh")
        findings.append(
            Finding(
                subject: "ssh", verdict: ssh == nil ? .warning : .good,
                words: ssh ?? "not installed; 'wander ssh' uses what is built in",
                remedy: ssh == nil ? "sudo apt-get install openssh-client" : nil))
        findings.append(space(store))
        findings.append(memory())
        return findings
    }

    /// What starts boxes without a kernel beside their disk.
    private static func firmware(_ firmware: StartMethod.Firmware) -> Finding {
        let path = FirmwareFile.path(firmware)
        return Finding(
            subject: "\(firmware.words) firmware", verdict: path == nil ? .warning : .good,
            words: path?.string ?? "not installed; boxes that start by \(firmware.words) need it",
            remedy: path == nil ? "sudo apt-get install \(FirmwareFile.package(firmware))" : nil)
    }

    private static func space(_ store: FilePath) -> Finding {
        var place = store
        while FileSystem.isAbsent(place), !place.isEmpty, place != "/" { place.removeLastComponent() }
        guard let free = try? FileSystem.freeBytes(place) else {
            return Finding(subject: "disk", verdict: .warning, words: "the file system of \(store) cannot be looked at")
        }
        let gibibytes = free >> 30
        return Finding(
            subject: "disk", verdict: gibibytes < 1 ? .bad : gibibytes < 5 ? .warning : .good,
            words: "\(gibibytes) GiB free for boxes in \(store)",
            remedy: gibibytes < 5
                ? "Free some space, or set WANDER_HOME to a larger disk. 'wander box prune' helps." : nil)
    }

    private static func memory() -> Finding {
        let text =
            (try? FileSystem.read("/proc/meminfo", limit: 1 << 16)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") } ?? ""
        let kibibytes = line.split(separator: " ").dropFirst().first.flatMap { Int64($0) } ?? 0
        return Finding(
            subject: "memory", verdict: kibibytes < 1 << 20 ? .warning : .good,
            words: "\(kibibytes >> 10) MiB available",
            remedy: kibibytes < 1 << 20 ? "Give machines less with 'memory', or close something." : nil)
    }
}
