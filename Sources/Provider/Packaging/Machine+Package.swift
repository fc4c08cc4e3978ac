import EnvFile
import BoxFormat
import Digest
import DiskImage
import JSON
import LinuxSystem
import Provisioning
import Reporting
import SystemPackage

extension Machine {
    /// Packs the machine into a box archive. A machine that runs is stopped first, and stays stopped.
    ///
    /// The archive appears whole or not at all; the machine's disk is only read.
    public func package(_ options: PackageOptions) throws -> PackageOutcome {
        // What can be refused is refused before anything is stopped.
        let contents = try PackageContents(options)
        if FileSystem.isDirectory(options.output) { throw PackageError.outputIsFolder(options.output) }
        if !options.replace, FileSystem.exists(options.output) { throw BoxError.outputExists(options.output) }
        return try exclusively {
            var record = try packageableRecord()
            let box = try box(of: record)
            let script = try preparationScript(record, box, options)
            if try folder.isAlive() { report(.step("stopping it to have its disk in peace")) }
            let stopped = try stop(&record, .graceful)
            let prepared = try prepareDisk(script, box)
            for warning in prepared.report.texts(.warning) { report(.warning(warning)) }
            return try pack(prepared, record, box, contents, options, stopped: stopped)
        }
    }

    /// What `package --clean` would remove and reset. A machine that runs is stopped for it.
    public func packagePreview(_ options: PackageOptions) throws -> PreparationReport {
        try exclusively {
            var record = try packageableRecord()
            let box = try box(of: record)
            let script = try preparationScript(record, box, options)
            if try folder.isAlive() { report(.step("stopping it to have its disk in peace")) }
            try stop(&record, .graceful)
            report(.step("looking into a copy of the disk"))
            return try listPreparation(script, box)
        }
    }

    private func packageableRecord() throws -> MachineRecord {
        let record = try existingRecord()
        guard record.stage != .creating, record.stage != .destroying else {
            throw ProviderError.notCreated(machine: name)
        }
        return record
    }

    private func pack(
        _ prepared: PreparedDisk, _ record: MachineRecord, _ box: Box, _ contents: PackageContents,
        _ options: PackageOptions, stopped: Bool
    ) throws -> PackageOutcome {
        let image = prepared.folder.path.appending("box.img")
        try FileSystem.remove(image)
        defer { try? FileSystem.remove(image) }
        let disk = try DiskImage.open(prepared.layers, access: .readOnly)
        let virtualSize = disk.virtualSize
        defer { try? disk.close() }
        let label = "reading the disk"
        try DiskImage.flatten(disk, to: image, permissions: 0o600) { done, total throws(DiskImageError) in
            if project.cancellation.isRequested { throw .interrupted }
            report(.progress(Progress(label, completed: done, total: total)))
        }
        report(.finished(label: label))
        var description = BoxDescription(architecture: box.architecture, virtualSize: virtualSize)
        description.name = try options.name ?? defaultPackageName()
        description.version = options.version
        description.commandLine = box.commandLine
        description.user = record.user
        let done = Self.stepRecords(record).filter { $0.state == .succeeded }
        description.provisioning = done.map(\.json)
        description.provenance = [
            "packaged_from": [
                "name": .string(record.box.name), "version": .string(record.box.version),
                "digest": .optional(record.box.digest),
            ]
        ]
        var files = contents.files
        files[BoxDescription.diskName] = .file(image)
        let hasOwnKernel = prepared.report.kernel != nil
        if let kernel = box.kernel {
            description.hasKernel = true
            files[BoxDescription.kernelName] = .file(hasOwnKernel ? prepared.kernel : kernel)
        }
        if let initrd = hasOwnKernel ? prepared.initrd : box.initrd {
            description.hasInitrd = true
            files[BoxDescription.initrdName] = .file(initrd)
        }
        if options.keepsIdentity, record.hasOwnKey {
            files[BoxDescription.privateKeyName] = .file(folder.privateKey)
            files["Vagrantfile"] = .bytes(Array(Self.vagrantfile.utf8))
            report(.warning("the box holds this machine's private key and all that it knows; give it to nobody else"))
        }
        files[BoxDescription.fileName] = .bytes(Array((description.json.pretty).utf8))
        let writer = BoxWriter(
            files, compression: options.compression, sink: project.events, cancellation: project.cancellation)
        let (digest, size) = try writer.write(to: options.output, replace: options.replace)
        return PackageOutcome(
            machine: name, output: options.output, size: size, digest: digest,
            name: try options.name ?? defaultPackageName(),
            version: options.version, virtualSize: virtualSize,
            diskSize: UInt64(clamping: try FileSystem.status(image)?.size ?? 0), stopped: stopped,
            preparation: prepared.report, provisioned: done.map(\.name))
    }

    /// The environment's name, and the machine's where there are several.
    private func defaultPackageName() throws -> BoxName {
        func clean(_ text: String) -> String {
            let kept = text.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber || "._+~-".contains($0)) }
            return String(kept.drop { !($0.isLetter || $0.isNumber) }.prefix(60))
        }
        let words = [clean(project.environment.name), project.machines.count == 1 ? "" : clean(name)]
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
