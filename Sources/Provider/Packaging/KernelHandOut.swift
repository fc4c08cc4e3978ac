import BoxFormat
import Digest
import LinuxSystem
import Reporting
import SSH
import SystemPackage

/// What starts a machine's guest without its boot loader: the box brings it, or the guest itself hands it out.
struct KernelHandOut {
    let machine: Machine
    private var bootFolder: FilePath { machine.folder.path.appending("boot") }

    init(_ machine: Machine) { self.machine = machine }

    /// How the machine's guest starts without its boot loader: by what its box brings, or else by what the guest itself
    /// has handed out; nil if there is neither.
    func directBoot(_ box: Box) -> DirectBoot? { DirectBoot(of: box) ?? DirectBoot(handedOutTo: bootFolder) }

    /// Makes sure that the guest of a box without a kernel can be told what to do: a guest that runs hands out the
    /// kernel and the initial RAM disk that it was started with, whatever its boot loader and its file systems are.
    /// - Parameter silence: How long the guest may send nothing of it, in milliseconds.
    /// - Throws: ``PackageError/noKernel(machine:reason:)`` if it does not run and has not done so before.
    func obtain(_ record: MachineRecord, _ box: Box, silence: Int64 = 180_000) throws {
        guard box.kernel == nil else { return }
        let isKnown = DirectBoot(handedOutTo: bootFolder) != nil
        guard try machine.folder.isAlive() else {
            guard !isKnown else { return }
            throw PackageError.noKernel(machine: machine.name, reason: nil)
        }
        let session: SSHSession
        do {
            session = try GuestAccess(machine).reach(record) {
                PackageError.noKernel(machine: machine.name, reason: $0)
            }
        } catch {
            guard isKnown, case PackageError.noKernel(_, let reason?) = error else { throw error }
            return machine.report(.note("the kernel that the guest handed out before will do: \(reason)"))
        }
        defer { session.close() }
        machine.report(.step("asking the guest for its kernel, since the box brings none"))
        try FileSystem.removeTree(bootFolder)
        try FileSystem.makeDirectory(bootFolder, permissions: 0o700)
        do {
            try receiveKernel(over: session, silence: silence)
        } catch {
            try? FileSystem.removeTree(bootFolder)
            throw error
        }
    }

    private func receiveKernel(over session: SSHSession, silence: Int64) throws {
        let stream = bootFolder.appending("stream")
        let file = try OwnedDescriptor.open(stream, [.writeOnly, .create], permissions: 0o600)
        let limits = PreparationScript.Exchange.self
        let limit = limits.kernelLimit + limits.initrdLimit
        let label = "reading the guest's kernel"
        var received: UInt64 = 0
        var said: [UInt8] = []
        var failure: (any Error)?
        let outcome = try session.start(
            ShellScript(BuiltInScript.text(PackageResources.hand_out_kernel_sh), as: "root")
        )
        .attend(
            silenceMilliseconds: silence,
            output: { bytes in
                received += UInt64(bytes.count)
                guard received <= limit, failure == nil else { return }
                do { try file.writeAll(Array(bytes)) } catch { failure = error }
                machine.report(.progress(Progress(label, completed: received)))
            }, error: { said += $0.prefix(max(0, 4096 - said.count)) },
            isComplete: { failure != nil || received > limit }
        )
        machine.report(.finished(label: label))
        file.close()
        if let failure { throw failure }
        let beginning = try OwnedDescriptor.open(stream, .readOnly).read(upTo: GuestKernelHeader.limit)
        guard outcome.isSuccess, let header = GuestKernelHeader(beginning),
            received == header.byteCount + header.kernelSize + header.initrdSize
        else {
            let words = GuestText.lines(said).split(separator: "\n").last
            throw PackageError.noKernel(
                machine: machine.name, reason: words.map(String.init) ?? "it sent none that is whole")
        }
        let kernel = bootFolder.appending(BoxDescription.kernelName)
        let start = Int64(header.byteCount)
        let cancellation = machine.project.cancellation
        try FilePiece(path: stream, start: start, count: header.kernelSize).copy(to: kernel, cancellation: cancellation)
        try FilePiece(path: stream, start: start + Int64(header.kernelSize), count: header.initrdSize)
            .copy(to: bootFolder.appending(BoxDescription.initrdName), cancellation: cancellation)
        try FileSystem.remove(stream)
        let digest = try SHA256Digest(ofFile: kernel, cancellation: cancellation)
        try DirectBoot.save(header, digest: digest, in: bootFolder)
    }
}
