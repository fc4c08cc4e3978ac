import LinuxSystem
import MonitorControl

/// A guest that will not come up by itself: it waits for somebody at its console, or its kernel has given up. Told by
/// the last line of its console, which stays the last; a guest's own word, and so the reason for an error at most.
struct StuckBoot: Equatable {
    /// What happened, for the end of a sentence.
    let reason: String
    let advice: String

    /// So many lines are enough to tell.
    static let lineCount = 40

    /// What the machine's console ends with; nil also if that is of an earlier run. A guest that starts quietly leaves
    /// there what the one before it said.
    init?(_ machine: Machine) {
        let log = machine.folder.consoleLog
        guard let written = (try? FileSystem.status(log, followLinks: false))??.modified,
            let record = try? machine.project.store.load(machine.name), written >= record.changed
        else { return nil }
        self.init(console: LogTail.lines(log, count: Self.lineCount))
    }

    /// - Parameter console: The console's last lines, fit to be shown.
    init?(console: String) {
        let lines = console.split(separator: "\n").filter { !$0.allSatisfy(\.isWhitespace) }
        guard let last = lines.last else { return nil }
        if let panic = last.firstRange(of: "---[ end Kernel panic - not syncing: ") {
            let words = last[panic.upperBound...].replacing(" ]---", with: "")
            self.init(
                reason: "its kernel panicked: \(words.prefix(100))",
                advice: words.contains("Unable to mount root") ? Self.driverAdvice : "See 'wander logs --console'.")
            return
        }
        let isShell =
            last.hasPrefix("(initramfs)") || last.hasPrefix("dracut:/#")
            // Alpine's, whose prompt is any shell's.
            || (last.hasPrefix("/ #") && console.contains("initramfs emergency recovery shell launched"))
        if isShell {
            let root = lines.last { line in
                line.contains("does not exist") || line.contains("Gave up waiting for root")
                    || line.contains("failed: No such file or directory")
            }
            self.init(
                reason: "its initial RAM disk does not find the root file system, and waits at a shell"
                    + (root.map { " (\($0.prefix(100)))" } ?? ""),
                advice: Self.driverAdvice)
            return
        }
        // wander-vmm ends such a machine itself.
        let before = "\n" + lines.dropLast().suffix(1).joined() + "\n"
        let end = before + last + " "
        let failure = LoaderFailure.all.first { failure in
            end.ranges(of: failure.text).contains { $0.upperBound > end.index(end.startIndex, offsetBy: before.count) }
        }
        if let failure {
            self.init(
                reason: failure.reason,
                advice: "If its disk starts by other firmware, say so by 'firmware' in the Wanderfile.")
            return
        }
        let waitsForRoot = ["Give root password for maintenance", "Press Enter for maintenance", "(or press Control-D"]
        guard waitsForRoot.contains(where: last.hasPrefix) else { return nil }
        self.init(
            reason: "its system is in emergency mode, and waits for somebody",
            advice: "A file system of its /etc/fstab that is not there is the usual reason.")
    }

    private init(reason: String, advice: String) {
        self.reason = reason
        self.advice = advice
    }

    private static let driverAdvice = """
        Its initial RAM disk may lack the virtio drivers: boxes for VirtualBox do. Take one for libvirt or QEMU, or add virtio_pci \
        and virtio_blk to it where the box is made. Its first disk is /dev/vda here: name the root file system by UUID.
        """
}
