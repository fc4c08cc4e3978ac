import BoxFormat
import Digest
import DiskImage
import EnvFile
import LinuxSystem
import Reporting
import SSH
import SystemPackage

extension Machine {
    /// Where a machine's prepared disk is.
    var preparationFolder: MachineFolder {
        MachineFolder(path: folder.path.appending(PreparedDisk.folderName), name: name)
    }

    /// Where `--live` keeps the copy of a running machine's disk, with the prepared disk over it in a folder of its
    /// own.
    var livePreparationFolder: MachineFolder { MachineFolder(path: folder.path.appending("package-live"), name: name) }

    /// Where `--dry-run` looks into a copy.
    var previewFolder: MachineFolder { MachineFolder(path: folder.path.appending("package-list"), name: name) }

    /// Ends the guests that killed `package` commands left behind, which still read the machine's disk, and removes
    /// what they made, wherever that is.
    func discardPreparation() throws {
        for place in [preparationFolder, livePreparationFolder, previewFolder] { try discardPreparation(place) }
    }

    /// The same for one place.
    func discardPreparation(_ place: MachineFolder) throws {
        guard try FileSystem.exists(place.path) else { return }
        for guest in [place, MachineFolder(path: place.path.appending(PreparedDisk.folderName), name: name)] {
            guard let process = try MachineProcess.find(guest) else { continue }
            try process.end(patience: 1000) { process.identity?.kill() }
        }
        try FileSystem.removeTree(place.path)
    }

    func preparationScript(_ record: MachineRecord, _ box: Box, _ options: PackageOptions) throws -> PreparationScript {
        let own = try? SSHPublicKey(
            parsing: String(decoding: try FileSystem.read(folder.publicKey, limit: 1 << 16), as: UTF8.self))
        return PreparationScript(
            user: record.user, ownKey: own?.base64, keepsIdentity: options.keepsIdentity, cleans: options.cleans,
            kernelDigest: directBoot(box)?.kernelDigest)
    }

    /// Whether a disk is packaged as it is: nothing is asked for that only a guest can do, and none can be told by the
    /// box.
    static func needsNoGuest(_ script: PreparationScript, _ box: Box) -> Bool {
        box.kernel == nil && script.keepsIdentity && !script.cleans
    }

    /// The disk of a machine that does not run, as a box shall have it.
    /// - Parameter place: Where it is kept.
    func prepareDisk(
        _ script: PreparationScript, _ box: Box, over layers: [DiskLayer], in place: MachineFolder
    ) throws -> PreparedDisk {
        if Self.needsNoGuest(script, box) {
            try FileSystem.makeDirectory(place.path, permissions: 0o700)
            return .asItIs(place, layers)
        }
        let text = script.text
        let key = try PreparedDisk.key(layers, script: text, box: box.digest.description)
        if let present = PreparedDisk.load(place, key: key, over: layers) { return present }
        try discardPreparation(place)
        report(
            .step(
                script.keepsIdentity ? "preparing a copy of the disk" : "resetting the identity in a copy of the disk"))
        try FileSystem.makeDirectory(place.path, permissions: 0o700)
        try createLayer(over: layers, in: place)
        let answer = try runPreparation(text, in: place, over: layers, box)
        var prepared = PreparedDisk(
            folder: place, key: key, report: PreparationReport(guestText: answer),
            layers: [DiskLayer(path: place.disk, format: .qcow2, isPlacedByRecord: true)] + layers)
        if let kernel = prepared.report.kernel {
            let limits = PreparationScript.Exchange.self
            guard kernel.kernelSize <= limits.kernelLimit, kernel.initrdSize <= limits.initrdLimit else {
                throw PackageError.preparationFailed(
                    machine: name, reason: "its kernel \(kernel.version) or initial RAM disk is too large", console: "")
            }
            let exchange = exchangePath(place)
            try copy(exchange, from: limits.kernel, count: kernel.kernelSize, to: prepared.kernel)
            try copy(exchange, from: limits.initrd, count: kernel.initrdSize, to: prepared.initrd)
            guard try digest(of: prepared.kernel).hexadecimal == kernel.kernelDigest,
                try digest(of: prepared.initrd).hexadecimal == kernel.initrdDigest
            else { throw failure("its kernel did not arrive whole", place) }
        }
        try FileSystem.remove(exchangePath(place))
        try prepared.save(reportText: answer)
        prepared.report.isComplete = true
        return prepared
    }

    private func createLayer(over layers: [DiskLayer], in place: MachineFolder) throws {
        let disk = try DiskImage.open(layers, access: .readOnly)
        defer { try? disk.close() }
        // Free blocks of file systems that the host cannot read are known by the guest's trim alone: to the block,
        // then.
        let clusterBits: UInt32 = try FreeSpace(of: disk).isWhole ? 16 : 12
        try DiskImage.createOverlay(
            at: place.disk, backing: layers[0].path, backingFormat: layers[0].format, clusterBits: clusterBits)
    }

    /// What `--clean` would remove. Changes nothing that stays.
    func listPreparation(_ script: PreparationScript, _ box: Box) throws -> PreparationReport {
        var script = script
        script.lists = true
        let layers = try diskLayers()
        let place = previewFolder
        try discardPreparation(place)
        defer { try? discardPreparation(place) }
        try FileSystem.makeDirectory(place.path, permissions: 0o700)
        try DiskImage.createOverlay(at: place.disk, backing: layers[0].path, backingFormat: layers[0].format)
        return PreparationReport(guestText: try runPreparation(script.text, in: place, over: layers, box))
    }

    private func exchangePath(_ place: MachineFolder) -> FilePath { place.path.appending("exchange.raw") }

    /// Boots a guest on the layer in `place`, with the script as its first program, and waits until it has powered off.
    /// - Returns: What it reported.
    private func runPreparation(
        _ script: String, in place: MachineFolder, over layers: [DiskLayer], _ box: Box
    ) throws -> String {
        guard let boot = directBoot(box) else { throw PackageError.noKernel(machine: name, reason: nil) }
        let kind = try preparationProvider(box)
        let exchange = exchangePath(place)
        try AtomicFile.write(script, to: exchange, permissions: 0o600)
        try OwnedDescriptor.open(exchange, .readWrite).truncate(to: Int64(PreparationScript.Exchange.size))
        let emulation = definition?.provider.emulation
        var plan = BootPlan(
            name: name, folder: place, memory: min(definition?.memory ?? 512 << 20, 1 << 30), processors: 1,
            disk: BootPlan.Disk(path: "disk.qcow2", format: .qcow2),
            backing: layers.map { BootPlan.Disk(path: $0.path, format: $0.format) },
            extraDisks: [BootPlan.Disk(path: "exchange.raw", format: .raw)], kernel: boot.kernel, initrd: boot.initrd,
            // A kernel that panics starts over at once; the script may be run again.
            commandLine: boot.commandLine() + " panic=-1 init=/bin/sh -- /dev/vdb", hardwareAddress: nil,
            emulatedProcessor: emulation?.processor ?? "max", translationCache: emulation?.translationCache ?? 256 << 20
        )
        plan.waitsForRoom = false
        let lock = try OwnedDescriptor.open(place.livenessLock, [.readWrite, .create], permissions: 0o600)
        guard try OpenFileLock.tryLock(lock, .exclusive) else { throw failure("another guest works on it", place) }
        try place.prepareRun()
        let provider = provider(kind)
        let process = try provider.start(plan, lock: lock, cancellation: project.cancellation)
        lock.close()
        let seconds: Int64 = kind == .kvm ? 180 : 600
        let watch = ProcessWatch(process.identifier)
        let hasEnded = try watch?.wait(milliseconds: seconds * 1000, cancellation: project.cancellation) ?? true
        if !hasEnded {
            process.kill()
            _ = try watch?.wait(milliseconds: 5000)
            try project.cancellation.check()
            throw failure("the guest had not finished after \(seconds) s", place)
        }
        if let full = hasNoRoom(place) { throw full }
        let console = try FileSystem.readIfThere(place.consoleLog) ?? []
        guard !Self.tellsOfLostWrites(console) else {
            throw failure("its disk refused writes: there was no room for them, or no quota", place)
        }
        let answer = try text(exchange)
        guard PreparationReport(guestText: answer).isComplete else {
            throw failure("the guest ended before it had finished", place)
        }
        return answer
    }

    /// A kernel that a guest has handed out is known to run where that guest ran.
    private func preparationProvider(_ box: Box) throws -> ProviderKind {
        if box.kernel == nil { return try existingRecord().provider }
        return try ProviderChoice.make(
            forced: project.settings.provider, wanted: definition?.provider.kind ?? .auto
        ).kind
    }

    private func failure(_ reason: String, _ place: MachineFolder) -> any Error {
        if let full = hasNoRoom(place) { return full }
        return PackageError.preparationFailed(
            machine: name, reason: reason, console: LogTail.lines(place.consoleLog, count: 15))
    }

    /// Room may have come back since. What a guest's kernel says when a write has failed, it says on the console.
    /// What it still reads while it switches itself off is lost to nobody: all was written before.
    static func tellsOfLostWrites(_ console: [UInt8]) -> Bool {
        let end = console.firstRange(of: Array("sysrq: Power Off".utf8))?.lowerBound ?? console.endIndex
        return console[..<end].contains(Array("I/O error, dev vd".utf8))
    }

    /// The guest goes on where the host's disk is full, and does not say what was not written. A layer grows by less
    /// than this at a time.
    private func hasNoRoom(_ place: MachineFolder) -> SystemError? {
        guard let free = try? FileSystem.freeBytes(place.path), free < 4 << 20 else { return nil }
        return SystemError("write a copy of the disk in", place.path, .noSpace)
    }

    /// The guest's report: text up to the first zero byte.
    private func text(_ exchange: FilePath) throws -> String {
        let file = try OwnedDescriptor.open(exchange, .readOnly)
        var bytes = [UInt8](repeating: 0, count: PreparationScript.Exchange.reportLimit)
        let count = try bytes.withUnsafeMutableBytes { buffer in
            try file.read(into: buffer, at: PreparationScript.Exchange.report)
        }
        return String(decoding: bytes.prefix(count).prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Copies a part of a file into a new one.
    func copy(_ source: FilePath, from start: Int64, count: UInt64, to target: FilePath) throws {
        let input = try OwnedDescriptor.open(source, .readOnly)
        let output = try OwnedDescriptor.open(target, [.writeOnly, .create, .truncate], permissions: 0o600)
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var done: UInt64 = 0
        while done < count {
            try project.cancellation.check()
            let wanted = Int(min(UInt64(buffer.count), count - done))
            let read = try buffer.withUnsafeMutableBytes { bytes in
                try input.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<wanted]), at: start + Int64(done))
            }
            guard read > 0 else { throw SystemError("read", source, .ioError) }
            try output.writeAll(Array(buffer[..<read]))
            done += UInt64(read)
        }
        try output.synchronize()
    }
}
