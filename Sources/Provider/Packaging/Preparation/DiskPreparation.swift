import BoxFormat
import Digest
import DiskImage
import LinuxSystem
import Reporting
import SSH
import SystemPackage

/// Makes a copy of a machine's disk that is fit for a box. The machine does not run, or its disk was copied before.
struct DiskPreparation {
    let machine: Machine
    let box: Box

    init(_ machine: Machine, _ box: Box) {
        self.machine = machine
        self.box = box
    }

    /// What the guest is told to do.
    func script(for user: String, _ options: PackageOptions) throws -> PreparationScript {
        let own = try? SSHPublicKey(
            parsing: String(decoding: try FileSystem.read(machine.folder.publicKey, limit: 1 << 16), as: UTF8.self))
        return PreparationScript(
            user: user, ownKey: own?.base64, keepsIdentity: options.keepsIdentity, cleans: options.cleans,
            forCloudInit: box.cloudInit,
            kernelDigest: KernelHandOut(machine).directBoot(box)?.kernelDigest)
    }

    /// Whether a disk is packaged as it is: nothing is asked for that only a guest can do, and none can be told by the
    /// box.
    func needsNoGuest(_ script: PreparationScript) -> Bool {
        box.kernel == nil && script.keepsIdentity && !script.cleans
    }

    /// The disk of a machine that does not run, as a box shall have it.
    /// - Parameter place: Where it is kept.
    func prepare(
        _ script: PreparationScript, over layers: [DiskLayer], in place: MachineFolder
    ) throws -> PreparedDisk {
        if needsNoGuest(script) {
            try FileSystem.makeDirectory(place.path, permissions: 0o700)
            return .asItIs(place, layers)
        }
        let text = script.text
        let key = try PreparedDisk.key(layers, script: text, box: box.digest.description)
        if let present = PreparedDisk.load(place, key: key, over: layers) { return present }
        try Preparations(machine).discard(place)
        machine.report(
            .step(
                script.keepsIdentity ? "preparing a copy of the disk" : "resetting the identity in a copy of the disk"))
        try FileSystem.makeDirectory(place.path, permissions: 0o700)
        try createLayer(over: layers, in: place)
        let guest = PreparationGuest(machine: machine, box: box, place: place)
        let answer = try guest.run(text, over: layers)
        var prepared = PreparedDisk(
            folder: place, key: key, report: PreparationReport(guestText: answer),
            layers: [DiskLayer(path: place.disk, format: .qcow2, isPlacedByRecord: true)] + layers)
        if let kernel = prepared.report.kernel {
            let limits = PreparationScript.Exchange.self
            guard kernel.kernelSize <= limits.kernelLimit, kernel.initrdSize <= limits.initrdLimit else {
                throw PackageError.preparationFailed(
                    machine: machine.name, reason: "its kernel \(kernel.version) or initial RAM disk is too large",
                    console: "")
            }
            func receive(_ start: Int64, _ count: UInt64, _ digest: String, _ target: FilePath) throws {
                let cancellation = machine.project.cancellation
                try FilePiece(path: guest.exchange, start: start, count: count)
                    .copy(to: target, cancellation: cancellation)
                guard try SHA256Digest(ofFile: target, cancellation: cancellation).hexadecimal == digest else {
                    throw guest.failure("its kernel did not arrive whole")
                }
            }
            try receive(limits.kernel, kernel.kernelSize, kernel.kernelDigest, prepared.kernel)
            try receive(limits.initrd, kernel.initrdSize, kernel.initrdDigest, prepared.initrd)
        }
        try FileSystem.remove(guest.exchange)
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
    func list(_ script: PreparationScript) throws -> PreparationReport {
        var script = script
        script.lists = true
        let layers = try MachineDisk(machine).layers()
        let place = Preparations(machine).preview
        try Preparations(machine).discard(place)
        defer { try? Preparations(machine).discard(place) }
        try FileSystem.makeDirectory(place.path, permissions: 0o700)
        try DiskImage.createOverlay(at: place.disk, backing: layers[0].path, backingFormat: layers[0].format)
        let guest = PreparationGuest(machine: machine, box: box, place: place)
        return PreparationReport(guestText: try guest.run(script.text, over: layers))
    }
}
