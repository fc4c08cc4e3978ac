import DiskImage
import LinuxSystem
import Reporting
import SSH
import SystemPackage

/// Copies the disks of a running machine while its guest has written everything to disk and writes nothing new.
///
/// The guest freezes its own file systems, and thaws them after two minutes, whatever happens to wander.
struct LiveCopy {
    let machine: Machine

    init(_ machine: Machine) { self.machine = machine }

    /// - Throws: ``PackageError/cannotFreeze(machine:reason:)`` if the copy would not be consistent.
    /// - Parameter copies: What is to be copied, and to where.
    func run(over session: SSHSession, _ copies: [(source: FilePath, target: FilePath)]) throws {
        machine.report(.step("freezing the guest's file systems for a moment"))
        let answer = try OwnedDescriptor.pipe()
        var said: [UInt8] = []
        var failure: (any Error)?
        var copied = false
        var script = ShellScript(BuiltInScript.text(PackageResources.freeze_sh), as: "root")
        script.milliseconds = 150_000
        let outcome = try session.run(
            script, input: .descriptor(answer.read.rawValue),
            output: { bytes in
                said += bytes.prefix(max(0, (1 << 16) - said.count))
                guard !copied, String(decoding: said, as: UTF8.self).contains("frozen\n") else { return }
                copied = true
                do {
                    for copy in copies { try copySparse(copy.source, to: copy.target) }
                } catch { failure = error }
                try? answer.write.writeAll("thaw\n")
            }, error: { bytes in said += bytes.prefix(max(0, (1 << 16) - said.count)) })
        if let failure { throw failure }
        guard copied, outcome.isSuccess else {
            let words = GuestText.lines(said).split(separator: "\n").last
            throw PackageError.cannotFreeze(
                machine: machine.name, reason: words.map(String.init) ?? "it gave no reason")
        }
    }

    /// Leaves out what is zero.
    private func copySparse(_ source: FilePath, to target: FilePath) throws {
        let input = try OwnedDescriptor.open(source, .readOnly)
        let size = UInt64(clamping: try input.status().size)
        let label = "copying the disk"
        defer { machine.report(.finished(label: label)) }
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
            if offset % (1 << 20) == 0 {
                machine.report(.progress(Progress(label, completed: UInt64(offset), total: size)))
            }
        }
        try output.truncate(to: offset)
    }
}
