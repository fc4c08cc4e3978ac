import BoxFormat
import DiskImage
import EnvFile
import LinuxSystem
import Reporting
import SystemPackage

/// A guest that is booted on a layer over a machine's disk, with a script of ours as its first program.
struct PreparationGuest {
    let machine: Machine
    let box: Box
    /// Holds the layer, and what passes between the guest and us.
    let place: MachineFolder
    /// A disk of the guest's: the script at its beginning, what the guest answers after it.
    var exchange: FilePath { place.path.appending("exchange.raw") }

    /// Runs `script`, and waits until the guest has powered off.
    /// - Parameter layers: The machine's, under the layer in ``place``.
    /// - Returns: What it reported.
    func run(_ script: String, over layers: [DiskLayer]) throws -> String {
        guard let boot = KernelHandOut(machine).directBoot(box) else {
            throw PackageError.noKernel(machine: machine.name, reason: nil)
        }
        let kind = try providerKind()
        try AtomicFile.write(script, to: exchange, permissions: 0o600)
        try OwnedDescriptor.open(exchange, .readWrite).truncate(to: Int64(PreparationScript.Exchange.size))
        let definition = machine.definition
        let emulation = definition?.provider.emulation
        var plan = LaunchPlan(
            name: machine.name, folder: place, memory: min(definition?.memory ?? 512 << 20, 1 << 30), processors: 1,
            disks: [
                LaunchPlan.LayeredDisk(
                    top: LaunchPlan.Disk(path: "disk.qcow2", format: .qcow2),
                    backing: layers.map { LaunchPlan.Disk(path: $0.path, format: $0.format) })
            ],
            extraDisks: [LaunchPlan.Disk(path: "exchange.raw", format: .raw)],
            start: .kernel(
                boot.kernel, initrd: boot.initrd,
                // A kernel that panics starts over at once; the script may be run again.
                commandLine: boot.commandLine() + " panic=-1 init=/bin/sh -- /dev/vdb"),
            hardwareAddress: nil,
            emulatedProcessor: emulation?.processor ?? "max", translationCache: emulation?.translationCache ?? 256 << 20
        )
        plan.waitsForRoom = false
        let lock = try OwnedDescriptor.open(place.livenessLock, [.readWrite, .create], permissions: 0o600)
        guard try OpenFileLock.tryLock(lock, .exclusive) else { throw failure("another guest works on it") }
        try place.prepareRun()
        let provider = machine.provider(kind)
        let process = try provider.start(plan, lock: lock, cancellation: machine.project.cancellation)
        lock.close()
        let seconds: Int64 = kind == .kvm ? 180 : 600
        let watch = ProcessWatch(process.identifier)
        if let watch, try !awaitEnd(watch, milliseconds: seconds * 1000) {
            process.kill()
            _ = try watch.wait(milliseconds: 5000)
            try machine.project.cancellation.check()
            throw failure("the guest had not finished after \(seconds) s")
        }
        if let full = noRoom { throw full }
        let console = try FileSystem.readIfThere(place.consoleLog) ?? []
        guard !Self.tellsOfLostWrites(console) else {
            throw failure("its disk refused writes: there was no room for them, or no quota")
        }
        let answer = try report()
        guard PreparationReport(guestText: answer).isComplete else {
            throw failure("the guest ended before it had finished")
        }
        return answer
    }

    /// Waits for the guest's end, and says meanwhile what it is at.
    /// - Returns: Whether it ended before the time was over and before the user asked to stop.
    private func awaitEnd(_ watch: ProcessWatch, milliseconds: Int64) throws -> Bool {
        let label = "preparing the copy"
        let cancellation = machine.project.cancellation
        defer { machine.report(.finished(label: label)) }
        var progress = PreparationProgress(machine: machine, console: place.consoleLog, label: label)
        let deadline = MonotonicClock.now.advanced(byMilliseconds: milliseconds)
        while MonotonicClock.now < deadline, !cancellation.isRequested {
            let left = deadline.milliseconds(since: .now)
            if try watch.wait(milliseconds: max(1, min(500, left)), cancellation: cancellation) { return true }
            progress.look()
        }
        return false
    }

    /// A kernel that a guest has handed out is known to run where that guest ran.
    private func providerKind() throws -> ProviderKind {
        if box.kernel == nil { return try machine.existingRecord().provider }
        let settings = machine.project.settings
        return try machine.project.services.choose(settings.provider, machine.definition?.provider.kind ?? .auto).kind
    }

    /// - Parameter reason: What to say unless the host's disk is full.
    func failure(_ reason: String) -> any Error {
        if let full = noRoom { return full }
        return PackageError.preparationFailed(
            machine: machine.name, reason: reason, console: LogTail.lines(place.consoleLog, count: 15))
    }

    /// Room may have come back since. What a guest's kernel says when a write has failed, it says on the console.
    /// What it still reads while it switches itself off is lost to nobody: all was written before.
    static func tellsOfLostWrites(_ console: [UInt8]) -> Bool {
        let end = console.firstRange(of: Array("sysrq: Power Off".utf8))?.lowerBound ?? console.endIndex
        return console[..<end].contains(Array("I/O error, dev vd".utf8))
    }

    /// The guest goes on where the host's disk is full, and does not say what was not written. A layer grows by less
    /// than this at a time.
    private var noRoom: SystemError? {
        guard let free = try? FileSystem.freeBytes(place.path), free < 4 << 20 else { return nil }
        return SystemError("write a copy of the disk in", place.path, .noSpace)
    }

    /// The guest's report: text up to the first zero byte.
    private func report() throws -> String {
        let file = try OwnedDescriptor.open(exchange, .readOnly)
        var bytes = [UInt8](repeating: 0, count: PreparationScript.Exchange.reportLimit)
        let count = try bytes.withUnsafeMutableBytes { buffer in
            try file.read(into: buffer, at: PreparationScript.Exchange.report)
        }
        return String(decoding: bytes.prefix(count).prefix { $0 != 0 }, as: UTF8.self)
    }
}
