import BoxFormat
import Digest
import DiskImage
import EnvFile
import JSON
import LinuxSystem
import Provisioning
import Reporting
import SystemPackage

/// Puts a box together: a prepared disk, what starts it, and what it says about itself.
struct BoxAssembly {
    let machine: Machine
    let record: MachineRecord
    let box: Box
    let options: PackageOptions

    init(_ machine: Machine, _ record: MachineRecord, _ box: Box, _ options: PackageOptions) {
        self.machine = machine
        self.record = record
        self.box = box
        self.options = options
    }

    /// - Parameters:
    ///   - others: The layers of each disk after the first. They go into the box as they are.
    ///   - contents: What people add.
    ///   - stopped: Whether the machine was stopped for it.
    func pack(
        _ prepared: PreparedDisk, others: [[DiskLayer]], _ contents: PackageContents, stopped: Bool
    ) throws -> PackageOutcome {
        try removeLeftovers(in: prepared.folder.path)
        let image = prepared.folder.path.appending("box.img")
        let changes = prepared.folder.path.appending(BoxParent.changesName)
        let otherImages = others.indices.map { index in
            prepared.folder.path.appending(BoxDescription.diskName(index + 1))
        }
        defer { for file in [image, changes] + otherImages { try? FileSystem.remove(file) } }
        let disk = try DiskWithoutFreeSpace(try DiskImage.open(prepared.layers, access: .readOnly))
        defer { try? disk.close() }
        let virtualSize = disk.virtualSize
        try flatten(disk, to: image)
        for (layers, target) in zip(others, otherImages) { try flatten(layers, to: target) }
        for image in [image] + otherImages { try refuseSecrets(image) }

        let done = record.stepRecords.filter { $0.state == .succeeded }
        var description = try description(virtualSize: virtualSize, done: done)
        description.otherDisks = otherImages.compactMap { $0.lastComponent?.string }
        var files = contents.files
        for (name, image) in zip(description.otherDisks, otherImages) { files[name] = .file(image) }
        if options.isThin {
            try writeDifference(of: disk, prepared, to: changes)
            files[BoxParent.changesName] = .file(changes)
            let label = "making a checksum"
            let digest = try SHA256Digest(ofFile: image, cancellation: machine.project.cancellation) { done, total in
                machine.report(.progress(Progress(label, completed: done, total: total)))
            }
            machine.report(.finished(label: label))
            description.digests = [(BoxDescription.diskName, digest)]
            description.parent = BoxParent(of: box)
        } else {
            files[BoxDescription.diskName] = .file(image)
        }
        addBoot(prepared, to: &description, &files)
        if options.keepsIdentity, record.hasOwnKey {
            files[BoxDescription.privateKeyName] = .file(machine.folder.privateKey)
            files["Vagrantfile"] = .bytes(Array(Self.vagrantfile.utf8))
            machine.report(
                .warning("the box holds this machine's private key and all that it knows; give it to nobody else"))
        }
        files[BoxDescription.fileName] = .bytes(Array((description.json.pretty).utf8))
        let (digest, size) = try write(files)
        return PackageOutcome(
            machine: machine.name, output: options.output, size: size, digest: digest,
            name: try options.name ?? defaultName(), version: options.version, virtualSize: virtualSize,
            diskSize: UInt64(clamping: try FileSystem.status(image)?.size ?? 0), stopped: stopped,
            preparation: prepared.report, parent: description.parent, provisioned: done.map(\.name))
    }

    /// What a killed command left.
    private func removeLeftovers(in folder: FilePath) throws {
        for file in try FileSystem.list(folder) where file.contains(".img") || file.contains("changes") {
            if file != BoxDescription.initrdName { try FileSystem.remove(folder.appending(file)) }
        }
    }

    private func description(virtualSize: UInt64, done: [StepRecord]) throws -> BoxDescription {
        var description = BoxDescription(architecture: box.architecture, virtualSize: virtualSize)
        description.name = try options.name ?? defaultName()
        description.version = options.version
        description.user = record.user
        description.cloudInit = box.cloudInit
        description.firmware = box.firmware
        description.smallestMemory = box.smallestMemory
        description.provisioning = done.map { $0.forBox(of: machine.definition).json }
        description.provenance = [
            "packaged_from": [
                "name": .string(record.box.name), "version": .string(record.box.version),
                "digest": .optional(record.box.digest),
            ]
        ]
        return description
    }

    /// Adds what starts the guest without its boot loader, if there is such. A thin box takes its parent's.
    private func addBoot(
        _ prepared: PreparedDisk, to description: inout BoxDescription, _ files: inout [String: BoxWriter.Content]
    ) {
        let boot = prepared.isAsItIs ? DirectBoot(of: box) : KernelHandOut(machine).directBoot(box)
        let hasOwnKernel = prepared.report.kernel != nil
        let initrd = hasOwnKernel ? prepared.initrd : boot?.initrd
        description.commandLine = boot?.commandLine
        description.hasKernel = boot != nil
        description.hasInitrd = initrd != nil
        guard !options.isThin || hasOwnKernel || box.kernel == nil else { return }
        if let boot { files[BoxDescription.kernelName] = .file(hasOwnKernel ? prepared.kernel : boot.kernel) }
        if let initrd { files[BoxDescription.initrdName] = .file(initrd) }
    }

    private func write(_ files: [String: BoxWriter.Content]) throws -> (digest: SHA256Digest, size: UInt64) {
        let project = machine.project
        var writer = BoxWriter(
            files, compression: options.compression, sink: project.events, cancellation: project.cancellation)
        writer.isPrivate = options.keepsIdentity || options.allowsSecrets
        return try writer.write(to: options.output, replace: options.replace)
    }

    /// Nothing is reset in them.
    private func flatten(_ layers: [DiskLayer], to image: FilePath) throws {
        let disk = try DiskWithoutFreeSpace(try DiskImage.open(layers, access: .readOnly))
        defer { try? disk.close() }
        try flatten(disk, to: image)
    }

    private func flatten(_ disk: any BlockStorage, to image: FilePath) throws {
        let label = "reading the disk"
        try DiskImage.flatten(
            disk, to: image, permissions: 0o600, isDurable: false, progress: progress(label))
        machine.report(.finished(label: label))
    }

    /// Writes what the machine has changed since its box.
    private func writeDifference(of disk: any BlockStorage, _ prepared: PreparedDisk, to path: FilePath) throws {
        guard let base = prepared.layers.last else { return }
        let parent = try DiskImage.open([base], access: .readOnly)
        defer { try? parent.close() }
        let label = "comparing with \(box.name)"
        try DiskImage.difference(
            of: disk, from: parent, sharedDepth: prepared.layers.count - 1, to: path, progress: progress(label))
        machine.report(.finished(label: label))
    }

    private func progress(_ label: String) -> (UInt64, UInt64) throws(DiskImageError) -> Void {
        { done, total throws(DiskImageError) in
            if machine.project.cancellation.isRequested { throw .interrupted }
            machine.report(.progress(Progress(label, completed: done, total: total)))
        }
    }

    /// Looks for the values that must not be shown and for the steps' secrets. Short ones would be found anywhere.
    private func refuseSecrets(_ image: FilePath) throws {
        guard let definition = machine.definition, !options.allowsSecrets else { return }
        let values = definition.maskedValues + StepSecrets(machine, definition).readable()
        let secrets = Set(values.filter { $0.utf8.count >= 6 }).map { Array($0.utf8) }
        guard !secrets.isEmpty else { return }
        let label = "looking for secrets"
        let size = (try FileSystem.status(image)?.size).map { UInt64(clamping: $0) }
        let found = try SecretSearch(secrets).count(in: image, cancellation: machine.project.cancellation) { done in
            machine.report(.progress(Progress(label, completed: done, total: size)))
        }
        machine.report(.finished(label: label))
        guard found > 0 else { return }
        guard options.keepsIdentity else {
            throw PackageError.holdsSecrets(machine: machine.name, count: found)
        }
        machine.report(.warning("the box holds \(found) of the values that sensitive provisioners get"))
    }

    /// The environment's name, and the machine's where there are several.
    private func defaultName() throws -> BoxName {
        func clean(_ text: String) -> String {
            let kept = text.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber || "._+~-".contains($0)) }
            return String(kept.drop { !($0.isLetter || $0.isNumber) }.prefix(60))
        }
        let words = [
            clean(machine.project.environment.name), try machine.project.machines.count == 1 ? "" : clean(machine.name),
        ]
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
