import DiskImage
import LinuxSystem
import Reporting
import SSH
import SystemPackage

extension Machine {
    /// Copies the disk of a running machine at an instant at which the guest has written everything down and writes no
    /// more.
    ///
    /// The guest freezes its file systems by itself, and thaws them after two minutes whatever becomes of us.
    /// - Throws: ``PackageError/cannotFreeze(machine:reason:)`` if the copy would not be consistent.
    func copyLiveDisk(over session: SSHSession, to target: FilePath) throws {
        report(.step("freezing the guest's file systems for a moment"))
        let answer = try OwnedDescriptor.pipe()
        var said: [UInt8] = []
        var failure: (any Error)?
        var copied = false
        var script = ShellScript(Self.freezeScript, as: "root")
        script.milliseconds = 150_000
        let disk = folder.disk
        let outcome = try session.run(
            script, input: .descriptor(answer.read.rawValue),
            output: { bytes in
                said += bytes.prefix(max(0, (1 << 16) - said.count))
                guard !copied, String(decoding: said, as: UTF8.self).contains("frozen\n") else { return }
                copied = true
                do {
                    try Self.copySparse(disk, to: target)
                } catch { failure = error }
                try? answer.write.writeAll("thaw\n")
            }, error: { bytes in said += bytes.prefix(max(0, (1 << 16) - said.count)) })
        if let failure { throw failure }
        guard copied, outcome.isSuccess else {
            let words = GuestText.lines(said).split(separator: "\n").last
            throw PackageError.cannotFreeze(machine: name, reason: words.map(String.init) ?? "it gave no reason")
        }
    }

    /// Leaves out what is zero.
    private static func copySparse(_ source: FilePath, to target: FilePath) throws {
        let input = try OwnedDescriptor.open(source, .readOnly)
        let output = try OwnedDescriptor.open(target, [.writeOnly, .create, .exclusive], permissions: 0o600)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 4096)
        defer { buffer.deallocate() }
        var offset: Int64 = 0
        while true {
            let count = try input.read(into: buffer, at: offset)
            if count == 0 { break }
            let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            if piece.contains(where: { $0 != 0 }) { try output.writeAll(piece, at: offset) }
            offset += Int64(count)
        }
        try output.truncate(to: offset)
    }

    /// Says `frozen` once everything is at rest and waits for a line. Ends with 0 only if it was frozen all the time.
    private static let freezeScript = #"""
        freeze=fsfreeze
        command -v fsfreeze >/dev/null 2>&1 || freeze='busybox fsfreeze'
        frozen= devices=
        thaw() {
            status=0
            for folder in $frozen; do $freeze --unfreeze "$folder" 2>/dev/null || status=1; done
            return $status
        }
        sync
        while read -r device folder type options _; do
            case $device in /dev/*) ;; *) continue ;; esac
            case $options in rw*) ;; *) continue ;; esac
            case " $devices " in *" $device "*) continue ;; esac
            devices="$devices $device"
            if $freeze --freeze "$folder"; then
                frozen="$folder $frozen"
            else
                thaw
                echo "the guest's fsfreeze cannot freeze $folder ($type)"
                exit 3
            fi
        done </proc/mounts
        [ -n "$frozen" ] || { echo 'the guest has no file system of a disk'; exit 3; }
        { sleep 120; thaw; } >/dev/null 2>&1 </dev/null &
        watchdog=$!
        echo frozen
        read -r line
        thaw || { echo 'the guest was thawed before its disk was copied'; exit 4; }
        kill $watchdog
        """#
}
