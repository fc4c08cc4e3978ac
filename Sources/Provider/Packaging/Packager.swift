import BoxFormat
import DiskImage
import LinuxSystem
import Reporting
import SSH
import SystemPackage

/// Packs a machine into a box archive. Its own disk is only read.
struct Packager {
    let machine: Machine
    let journal: MachineJournal
    let options: PackageOptions
    private let box: Box
    private var preparation: DiskPreparation { DiskPreparation(machine, box) }

    init(_ machine: Machine, _ record: MachineRecord, _ options: PackageOptions) throws {
        self.machine = machine
        journal = machine.journal(record)
        self.options = options
        box = try machine.box(of: record)
    }

    /// See ``Machine/package(_:)``.
    func package(_ contents: PackageContents) throws -> PackageOutcome {
        guard !options.isThin || journal.record.diskCount == 1 else {
            throw PackageError.thinOfSeveralDisks(machine: machine.name)
        }
        guard options.keepsIdentity || journal.record.diskCount == 1 else {
            throw PackageError.identityOnSeveralDisks(machine: machine.name)
        }
        let script = try readiedScript()
        let isAlive = try machine.folder.isAlive()
        if options.isLive, isAlive { return try packageLive(script, contents) }
        if isAlive { machine.report(.step("stopping the machine so that its disk does not change")) }
        let stopped = try Stopping(machine, journal).run(.graceful)
        let place = Preparations(machine).prepared
        let prepared = try prepare(script, over: try MachineDisk(machine).layers(), in: place)
        if prepared.isAsItIs, journal.record.hasShareLines {
            machine.report(
                .warning("the box's /etc/fstab names this machine's shares, which other machines do without"))
        }
        let others = try MachineDisks(machine, journal.record).stacks.dropFirst().map { try $0.all(journal.record) }
        return try BoxAssembly(machine, journal.record, box, options)
            .pack(prepared, others: others, contents, stopped: stopped)
    }

    /// What would be removed and reset.
    func preview() throws -> PreparationReport {
        // Gets the guest's kernel where there is no other, which takes a machine that runs.
        let script = try readiedScript()
        guard try !machine.folder.isAlive() else { throw PackageError.previewOfRunning(machine: machine.name) }
        machine.report(.step("looking into a copy of the disk"))
        return try preparation.list(script)
    }

    /// Packs a copy of the disk of a machine that keeps running.
    private func packageLive(_ script: PreparationScript, _ contents: PackageContents) throws -> PackageOutcome {
        let session = try GuestAccess(machine).reach(journal.record) {
            PackageError.cannotFreeze(machine: machine.name, reason: $0)
        }
        defer { session.close() }
        let preparations = Preparations(machine)
        let place = preparations.live
        try preparations.discard(place)
        defer { try? preparations.discard(place) }
        try FileSystem.makeDirectory(place.path, permissions: 0o700)
        let stacks = MachineDisks(machine, journal.record).stacks
        func copy(_ stack: LayerStack) -> FilePath { place.path.appending("machine-\(stack.index).qcow2") }
        try LiveCopy(machine).run(over: session, stacks.map { ($0.top, copy($0)) })
        let disks = try stacks.map { stack in
            var layers = try stack.all(journal.record)
            layers[0].path = copy(stack)
            return layers
        }
        let prepared = try prepare(script, over: disks[0], in: preparations.inner(of: place))
        return try BoxAssembly(machine, journal.record, box, options)
            .pack(prepared, others: Array(disks.dropFirst()), contents, stopped: false)
    }

    private func prepare(
        _ script: PreparationScript, over layers: [DiskLayer], in place: MachineFolder
    ) throws -> PreparedDisk {
        let prepared = try preparation.prepare(script, over: layers, in: place)
        for warning in prepared.report.texts(.warning) { machine.report(.warning(warning)) }
        return prepared
    }

    /// The script, once there is a kernel to run it by. While the machine still runs, since it may have to be asked.
    private func readiedScript() throws -> PreparationScript {
        let user = journal.record.user
        let script = try preparation.script(for: user, options)
        if preparation.needsNoGuest(script) { return script }
        try KernelHandOut(machine).obtain(journal.record, box)
        return try preparation.script(for: user, options)
    }
}
