import BoxFormat
import Digest
import DiskImage
import EnvFile
import JSON
import LinuxSystem
import Provisioning
import Reporting
import SSH
import SystemPackage

extension Machine {
    /// Packs the machine into a box archive. A machine that runs is stopped first, and stays stopped.
    ///
    /// The archive appears whole or not at all; the machine's disk is only read.
    public func package(_ options: PackageOptions) throws -> PackageOutcome {
        // What can be refused is refused before anything is stopped.
        let contents = try PackageContents(options)
        try PackageOutput.check(options, contents)
        return try exclusively {
            var record = try completeRecord()
            let box = try box(of: record)
            let script = try readiedScript(record, box, options)
            if options.isLive, try folder.isAlive() { return try packageLive(record, box, script, contents, options) }
            if try folder.isAlive() { report(.step("stopping it to have its disk in peace")) }
            let stopped = try stop(&record, .graceful)
            let prepared = try prepareDisk(script, box, over: try diskLayers(), in: preparationFolder)
            for warning in prepared.report.texts(.warning) { report(.warning(warning)) }
            if prepared.isAsItIs, record.hasShareLines {
                report(.warning("the box's /etc/fstab names this machine's shares, which other machines do without"))
            }
            return try pack(prepared, record, box, contents, options, stopped: stopped)
        }
    }

    /// Packs a copy of the disk of a machine that goes on running.
    private func packageLive(
        _ record: MachineRecord, _ box: Box, _ script: PreparationScript, _ contents: PackageContents,
        _ options: PackageOptions
    ) throws -> PackageOutcome {
        let session = try reach(record) { PackageError.cannotFreeze(machine: name, reason: $0) }
        defer { session.close() }
        let place = livePreparationFolder
        try discardPreparation(place)
        defer { try? discardPreparation(place) }
        try FileSystem.makeDirectory(place.path, permissions: 0o700)
        let copy = place.path.appending("machine.qcow2")
        try copyLiveDisk(over: session, to: copy)
        var layers = try diskLayers()
        layers[0].path = copy
        let inner = MachineFolder(path: place.path.appending(PreparedDisk.folderName), name: name)
        let prepared = try prepareDisk(script, box, over: layers, in: inner)
        for warning in prepared.report.texts(.warning) { report(.warning(warning)) }
        return try pack(prepared, record, box, contents, options, stopped: false)
    }

    /// What `package` would remove and reset.
    /// - Throws: ``PackageError/previewOfRunning(machine:)``
    public func packagePreview(_ options: PackageOptions) throws -> PreparationReport {
        try exclusively {
            let record = try completeRecord()
            let box = try box(of: record)
            // Gets the guest's kernel where there is no other, which takes a machine that runs.
            let script = try readiedScript(record, box, options)
            guard try !folder.isAlive() else { throw PackageError.previewOfRunning(machine: name) }
            report(.step("looking into a copy of the disk"))
            return try listPreparation(script, box)
        }
    }

    /// The script, once there is a kernel to run it by. While the machine still runs, since it may have to be asked.
    private func readiedScript(
        _ record: MachineRecord, _ box: Box, _ options: PackageOptions
    ) throws -> PreparationScript {
        let script = try preparationScript(record, box, options)
        if Self.needsNoGuest(script, box) { return script }
        try obtainKernel(record, box)
        return try preparationScript(record, box, options)
    }

    private func pack(
        _ prepared: PreparedDisk, _ record: MachineRecord, _ box: Box, _ contents: PackageContents,
        _ options: PackageOptions, stopped: Bool
    ) throws -> PackageOutcome {
        // What a killed command left.
        for file in try FileSystem.list(prepared.folder.path) where file.contains(".img") || file.contains("changes") {
            if file != BoxDescription.initrdName { try FileSystem.remove(prepared.folder.path.appending(file)) }
        }
        let image = prepared.folder.path.appending("box.img")
        defer { try? FileSystem.remove(image) }
        let disk = try DiskWithoutFreeSpace(try DiskImage.open(prepared.layers, access: .readOnly))
        let virtualSize = disk.virtualSize
        defer { try? disk.close() }
        let label = "reading the disk"
        try DiskImage.flatten(disk, to: image, permissions: 0o600, isDurable: false) {
            done, total throws(DiskImageError) in
            if project.cancellation.isRequested { throw .interrupted }
            report(.progress(Progress(label, completed: done, total: total)))
        }
        report(.finished(label: label))
        try refuseSecrets(image, options)
        var description = BoxDescription(architecture: box.architecture, virtualSize: virtualSize)
        description.name = try options.name ?? defaultPackageName()
        description.version = options.version
        let boot = prepared.isAsItIs ? DirectBoot(of: box) : directBoot(box)
        description.commandLine = boot?.commandLine
        description.user = record.user
        let done = Self.stepRecords(record).filter { $0.state == .succeeded }
        description.provisioning = done.map { $0.forBox(of: definition).json }
        description.provenance = [
            "packaged_from": [
                "name": .string(record.box.name), "version": .string(record.box.version),
                "digest": .optional(record.box.digest),
            ]
        ]
        var files = contents.files
        files[BoxDescription.diskName] = .file(image)
        let changes = prepared.folder.path.appending(BoxParent.changesName)
        defer { try? FileSystem.remove(changes) }
        if options.isThin {
            try writeDifference(of: disk, prepared, box, to: changes)
            files[BoxDescription.diskName] = nil
            files[BoxParent.changesName] = .file(changes)
            description.digests = [(BoxDescription.diskName, try digest(of: image))]
            description.parent = BoxParent(of: box)
        }
        let hasOwnKernel = prepared.report.kernel != nil
        if let kernel = boot?.kernel {
            description.hasKernel = true
            files[BoxDescription.kernelName] = .file(hasOwnKernel ? prepared.kernel : kernel)
        }
        if let initrd = hasOwnKernel ? prepared.initrd : boot?.initrd {
            description.hasInitrd = true
            files[BoxDescription.initrdName] = .file(initrd)
        }
        if options.isThin, !hasOwnKernel, box.kernel != nil {
            // The parent's are taken.
            files[BoxDescription.kernelName] = nil
            files[BoxDescription.initrdName] = nil
        }
        if options.keepsIdentity, record.hasOwnKey {
            files[BoxDescription.privateKeyName] = .file(folder.privateKey)
            files["Vagrantfile"] = .bytes(Array(Self.vagrantfile.utf8))
            report(.warning("the box holds this machine's private key and all that it knows; give it to nobody else"))
        }
        files[BoxDescription.fileName] = .bytes(Array((description.json.pretty).utf8))
        var writer = BoxWriter(
            files, compression: options.compression, sink: project.events, cancellation: project.cancellation)
        writer.isPrivate = options.keepsIdentity || options.allowsSecrets
        let (digest, size) = try writer.write(to: options.output, replace: options.replace)
        return PackageOutcome(
            machine: name, output: options.output, size: size, digest: digest,
            name: try options.name ?? defaultPackageName(),
            version: options.version, virtualSize: virtualSize,
            diskSize: UInt64(clamping: try FileSystem.status(image)?.size ?? 0), stopped: stopped,
            preparation: prepared.report, parent: description.parent, provisioned: done.map(\.name))
    }

    /// Writes what the machine has changed since its box.
    private func writeDifference(
        of disk: any BlockStorage, _ prepared: PreparedDisk, _ box: Box, to path: FilePath
    ) throws {
        guard let base = prepared.layers.last else { return }
        let parent = try DiskImage.open([base], access: .readOnly)
        defer { try? parent.close() }
        let label = "comparing with \(box.name)"
        try DiskImage.difference(of: disk, from: parent, sharedDepth: prepared.layers.count - 1, to: path) {
            done, total throws(DiskImageError) in
            if project.cancellation.isRequested { throw .interrupted }
            report(.progress(Progress(label, completed: done, total: total)))
        }
        report(.finished(label: label))
    }

    func digest(of path: FilePath) throws -> SHA256Digest {
        let file = try OwnedDescriptor.open(path, .readOnly)
        var checksum = Checksum(.sha256)
        while true {
            try project.cancellation.check()
            let bytes = try file.read(upTo: 1 << 20)
            if bytes.isEmpty { return SHA256Digest(result: checksum.finish()) }
            checksum.update(bytes)
        }
    }

    /// Looks for the values that sensitive steps get. Short ones would be found anywhere.
    private func refuseSecrets(_ image: FilePath, _ options: PackageOptions) throws {
        let secrets = Set((definition?.secrets ?? []).filter { $0.utf8.count >= 6 }).map { Array($0.utf8) }
        guard !secrets.isEmpty, !options.allowsSecrets else { return }
        let found = try SecretSearch(secrets).count(in: image, cancellation: project.cancellation)
        guard found > 0 else { return }
        guard options.keepsIdentity else {
            throw PackageError.holdsSecrets(machine: name, count: found)
        }
        report(.warning("the box holds \(found) of the values that sensitive provisioners get"))
    }

    /// The environment's name, and the machine's where there are several.
    private func defaultPackageName() throws -> BoxName {
        func clean(_ text: String) -> String {
            let kept = text.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber || "._+~-".contains($0)) }
            return String(kept.drop { !($0.isLetter || $0.isNumber) }.prefix(60))
        }
        let words = [clean(project.environment.name), try project.machines.count == 1 ? "" : clean(name)]
        let text = words.filter { !$0.isEmpty }.joined(separator: "/")
        return try BoxName(text.isEmpty ? "box" : text)
    }

    /// Tells Vagrant where the key is.
    private static let vagrantfile = """
        Vagrant.configure("2") do |config|
          config.ssh.private_key_path = File.expand_path("../vagrant_private_key", __FILE__)
        end

        """
}
