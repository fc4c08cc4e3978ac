import BoxFormat
import Digest
import DiskImage
import JSON
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import Provider

/// `package` from its beginning to its end, with a script in the place of wander-vmm: it is started as the monitor is,
/// and does what the guest does that prepares the disk.
@Suite struct PreparationTests {
    private let fixture: MachineFixture
    private let box: Box
    private var folder: MachineFolder { fixture.machine.folder }

    init() throws {
        fixture = try MachineFixture()
        // What the guest of a box without a kernel has handed out starts it by the provider that the machine has.
        try fixture.project.store.save(fixture.create().with(["provider": "kvm", "ownKey": true]))
        box = try #require(try fixture.store.list().boxes.first)
        let boot = folder.path.appending("boot")
        try FileSystem.makeDirectory(boot)
        for name in ["vmlinuz", "initrd.img"] { try AtomicFile.write(name, to: boot.appending(name)) }
        let header = try #require(GuestKernelHeader(Array("6.1.0-test 7 10\nroot=/dev/vda1\nvmlinuz".utf8)))
        try DirectBoot.save(header, digest: SHA256Digest(of: Array("vmlinuz".utf8)), in: boot)
    }

    /// The machine as a wander sees it in whose folder this is the monitor.
    /// - Parameter work: What the script does before it ends. It is in the folder of the copy.
    private func machine(_ work: String) throws -> Machine {
        let programs = fixture.folder("programs-\(randomIdentifier(bytes: 4))")
        try FileSystem.makeDirectory(programs)
        // Descriptor 4 leads to whoever waits for the start; the report is a MiB into the disk that the script is on.
        let script = """
            #!/bin/sh
            echo '{"started":true}' >&4
            \(work)
            printf 'history /root/.bash_history\\nend\\n' | dd of=exchange.raw bs=1024 seek=1024 conv=notrunc 2>/dev/null
            """
        try AtomicFile.write(script, to: programs.appending("wander-vmm"), permissions: 0o755)
        var settings = fixture.project.settings
        settings.programs = programs
        let project = Project(
            fixture.project.environment, boxes: fixture.store, settings: settings, events: fixture.project.events,
            cancellation: try Cancellation())
        return try project.machine(named: "default")
    }

    private func options(_ change: (inout PackageOptions) -> Void = { _ in }) -> PackageOptions {
        var options = PackageOptions(output: fixture.folder("out.box"))
        change(&options)
        return options
    }

    @Test("a guest whose disk refused a write makes no box, and its console is shown")
    func lostWrite() throws {
        let options = options()
        let line = "[    3.1] I/O error, dev vda, sector 81920 op 0x1:(WRITE) flags 0x800 phys_seg 16 prio class 2"
        let failing = try machine("echo '\(line)' >>run/console.log")
        #expect {
            try failing.package(options)
        } throws: { error in
            guard case PackageError.preparationFailed("default", let reason, let console) = error else { return false }
            return reason.contains("its disk refused writes") && console.contains("I/O error, dev vda")
        }
        #expect(try !FileSystem.exists(options.output))
        // The same guest without that line.
        let outcome = try machine("echo 'sysrq: Power Off' >>run/console.log").package(options)
        #expect(outcome.preparation.texts(.history) == ["/root/.bash_history"])
        #expect(try FileSystem.exists(options.output))
    }

    @Test("a box with a machine's identity or secrets is its owner's alone to read, any other is everybody's")
    func permissions() throws {
        func mode(_ change: (inout PackageOptions) -> Void) throws -> UInt32? {
            let options = options(change)
            try FileSystem.remove(options.output)
            _ = try machine("true").package(options)
            return try FileSystem.status(options.output)?.permissions
        }
        #expect(try mode { $0.keepsIdentity = true } == 0o600)
        #expect(try mode { $0.allowsSecrets = true } == 0o600)
        #expect(try mode { _ in } == 0o644)
    }

    @Test("the copy of a running machine's disk is prepared in a place of its own, which is emptied first")
    func placeOfCopy() throws {
        let machine = try machine("true")
        let record = try machine.existingRecord()
        let preparation = DiskPreparation(machine, box)
        let script = try preparation.script(for: record.user, options())
        let places = Preparations(machine)
        let inner = places.inner(of: places.live)
        // What a killed command left, there and where a halted machine's disk is prepared.
        for place in [inner, places.prepared] {
            try FileSystem.makeDirectory(place.path)
            try AtomicFile.write("left", to: place.path.appending("left"))
        }
        let prepared = try preparation.prepare(script, over: try MachineDisk(machine).layers(), in: inner)
        #expect(prepared.folder.path == inner.path && prepared.layers.first?.path == inner.disk)
        #expect(try FileSystem.exists(inner.disk) && !FileSystem.exists(inner.path.appending("left")))
        #expect(try FileSystem.list(places.prepared.path) == ["left"])
    }

    @Test("the monitor's log is bounded when the machine is started again: what was too long before is kept beside it")
    func longLog() throws {
        let record = try fixture.machine.existingRecord()
        let machine = try machine("echo 'said at the start' >&2")
        let place = Preparations(machine).prepared
        try FileSystem.makeDirectory(place.path)
        try place.prepareRun()
        let old = String(repeating: "old line\n", count: 200_000) + "last line\n"
        try AtomicFile.write(old, to: place.monitorLog)
        let lock = try OwnedDescriptor.open(place.livenessLock, [.readWrite, .create])
        #expect(try OpenFileLock.tryLock(lock, .exclusive))
        var plan = QEMUArgumentsTests.plan(box.disk.path)
        plan.folder = place
        plan.hardwareAddress = record.hardwareAddress
        let process = try machine.provider(.kvm).start(plan, lock: lock, cancellation: try Cancellation())
        lock.close()
        _ = try ProcessWatch(process.identifier)?.wait(milliseconds: 10_000)
        #expect(try FileSystem.read(place.monitorLog) == Array("said at the start\n".utf8))
        let older = try FileSystem.read(FilePath("\(place.monitorLog).old"))
        #expect(older.count == 1 << 20 && older.suffix(19) == Array("old line\nlast line\n".utf8)[...])
    }

    @Test("so it is with QEMU's, whose lines another process writes down")
    func longLogOfEmulator() throws {
        let place = Preparations(fixture.machine).prepared
        try FileSystem.makeDirectory(place.path)
        try place.prepareRun()
        try AtomicFile.write(String(repeating: "old line\n", count: 200_000) + "last line\n", to: place.monitorLog)
        let writer = try LogWriter(place, program: fixture.project.settings.programs.appending("wander-log"))
        writer.note("said at the start")
        writer.handOver()
        writer.awaitEnd()
        #expect(try FileSystem.read(place.monitorLog) == Array("said at the start\n".utf8))
        let older = try FileSystem.read(FilePath("\(place.monitorLog).old"))
        #expect(older.count == 1 << 20 && older.suffix(19) == Array("old line\nlast line\n".utf8)[...])
    }
}
