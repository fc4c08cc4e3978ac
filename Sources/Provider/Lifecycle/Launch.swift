import BoxFormat
import DiskImage
import EnvFile
import LinuxSystem
import SSH
import SystemPackage

/// Boots a machine that does not run. Writes down what is about to happen before each step.
struct Launch {
    let machine: Machine
    let journal: MachineJournal
    let definition: MachineDefinition
    private var project: Project { machine.project }

    init(_ machine: Machine, _ journal: MachineJournal, _ definition: MachineDefinition) {
        self.machine = machine
        self.journal = journal
        self.definition = definition
    }

    func run(_ provider: any MachineProvider) throws {
        let folder = machine.folder
        // First of all: whoever holds it is alone with the disk, whatever processes there are.
        let lock = try OwnedDescriptor.open(folder.livenessLock, [.readWrite, .create], permissions: 0o600)
        guard try OpenFileLock.tryLock(lock, .exclusive) else {
            throw ProviderError.notRunning(machine: machine.name, state: "still ending")
        }
        try journal.record.process?.endWithoutLock()
        // What an interrupted command has left to do. A guest never gets the layer of a snapshot.
        try MachineDisks.complete(machine, journal)
        let plan = try plan()
        // A prepared copy for a box is of no use once the disk changes.
        try Preparations(machine).discard()
        // Again at every start, since the project may have moved.
        try project.boxes.recordUse(
            of: try machine.box(of: journal.record), machine: machine.name, directory: folder.path,
            cancellation: project.cancellation)
        try journal.write {
            $0.starting(by: provider.kind, definition.canonicalJSON, shares: plan.shares, start: plan.start)
        }
        let process: MachineRecord.ProcessIdentity
        do {
            process = try start(plan, by: provider, lock)
        } catch {
            NetworkPlace(machine: machine).leave()
            try journal.write { $0.stopped() }
            throw error
        }
        try journal.write { $0.started(process) }
    }

    private func start(
        _ plan: LaunchPlan, by provider: any MachineProvider, _ lock: borrowing OwnedDescriptor
    ) throws -> MachineRecord.ProcessIdentity {
        try machine.folder.prepareRun()
        try growDisk()
        if journal.record.seed != nil { try writeSeed() }
        let joined = try NetworkPlace(machine: machine).join(journal.record, definition)
        try journal.write { $0.joined(internet: joined.internet, subnet: joined.subnet, forwards: joined.forwards) }
        return try provider.start(plan, lock: lock, cancellation: project.cancellation)
    }

    private func plan() throws -> LaunchPlan {
        let record = journal.record
        let box = try machine.box(of: record)
        var plan = LaunchPlan(
            name: machine.name, folder: machine.folder, memory: definition.memory, processors: definition.cpus,
            disks: try MachineDisks(machine, record).stacks.map(layeredDisk),
            start: try startMethod(box), hardwareAddress: record.hardwareAddress,
            emulatedProcessor: definition.provider.emulation.processor,
            translationCache: definition.provider.emulation.translationCache)
        plan.shares = try machine.openShares(definition)
        // The last: no other disk changes its name for it.
        if record.seed != nil { plan.extraDisks.append(SeedDisk(machine).disk) }
        return plan
    }

    private func layeredDisk(_ stack: LayerStack) throws -> LaunchPlan.LayeredDisk {
        // By its name alone: the machine's process works in its folder, wherever the project moves.
        LaunchPlan.LayeredDisk(
            top: .init(path: FilePath(stack.top.lastComponent?.string ?? ""), format: .qcow2),
            backing: try stack.below(journal.record).map { .init(path: $0.path, format: $0.format) })
    }

    private func startMethod(_ box: Box) throws -> StartMethod {
        switch definition.firmware {
        case .auto: break
        case .bios:
            guard try bootSectors().firmware != .uefi else { throw ProviderError.nothingForBIOS(machine: machine.name) }
            return .firmware(.bios)
        case .uefi: return .firmware(.uefi)
        }
        if let boot = DirectBoot(of: box) {
            let key = try GuestAccess(machine).key().publicKey
            return .kernel(boot.kernel, initrd: boot.initrd, commandLine: boot.commandLine(handingOver: key))
        }
        if let firmware = box.firmware.flatMap({ StartMethod.Firmware(rawValue: $0.rawValue) }) {
            return .firmware(firmware)
        }
        guard let firmware = try bootSectors().firmware else { throw ProviderError.noLoader(machine: machine.name) }
        return .firmware(firmware)
    }

    /// Of the machine's own disk: a guest may have put another loader there than its box has.
    private func bootSectors() throws -> BootSectors {
        let storage = try DiskImage.open(try LayerStack(machine).own(journal.record), access: .readOnly)
        defer { try? storage.close() }
        return try BootSectors(of: storage)
    }

    private func writeSeed() throws {
        let seed = SeedDisk(machine)
        try seed.write(journal.record, hostname: definition.hostname)
        try seed.reportChange(definition)
    }

    /// A larger `disk` in the Wanderfile grows the overlay; the guest grows its file system when it boots.
    private func growDisk() throws {
        guard let wanted = definition.disk else { return }
        let storage = try DiskImage.open(try LayerStack(machine).own(journal.record), access: .readWrite)
        defer { try? storage.close() }
        if wanted > storage.virtualSize { try storage.resize(to: wanted) }
    }
}
