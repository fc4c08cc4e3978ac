import Boot
import DiskImage
import KVM
import LinuxSystem
import SystemPackage
import TestSupport
import Testing
import Virtio

@testable import VMM

private let hasKVM = (try? Hypervisor.open()) != nil

/// Debian's SeaBIOS as it is, on any KVM: one that interprets real mode takes some seconds.
@Suite(.enabled(if: hasKVM), .serialized) struct FirmwareMachineTests {
    private static let repository = FilePath(#filePath).pushing("../../../../..").lexicallyNormalized()
    private static let images = ["/usr/share/seabios/bios-256k.bin", "/usr/share/seabios/bios.bin"]

    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A disk of 1 MiB that begins with `sector`.
    private func disk(_ sector: [UInt8], _ name: String = "disk") throws -> MachineSpecification.Device {
        let path = try folder.file(FilePath.Component(name)?.string ?? name, sector)
        try OwnedDescriptor.open(path, .readWrite).truncate(to: 1 << 20)
        let layer = DiskLayer(path: path, format: .raw, isPlacedByRecord: true)
        let storage = try DiskImage.open([layer], access: .readWrite)
        return .init(name: name, BlockDevice(storage, identifier: name, queueCount: 1))
    }

    private func bootSector() throws -> [UInt8] {
        let (source, object, binary) = (
            Self.repository.appending("Tests/System/Firmware/boot-sector.s"), folder("object"), folder("binary")
        )
        let assembled = try ChildProcess.run(["as", "--32", "-o", object.string, source.string])
        #expect(assembled.outcome.isSuccess, "\(String(decoding: assembled.error, as: UTF8.self))")
        let linked = try ChildProcess.run([
            "ld", "-m", "elf_i386", "-Ttext", "0x7c00", "--oformat", "binary", "-o", binary.string, object.string,
        ])
        #expect(linked.outcome.isSuccess, "\(String(decoding: linked.error, as: UTF8.self))")
        // Sector 1 is what the loader reads.
        return try FileSystem.read(binary, limit: 512) + [UInt8](repeating: UInt8(ascii: "S"), count: 512)
    }

    private func machine(
        _ image: String, _ devices: [MachineSpecification.Device], memory: UInt64 = 64 << 20, processors: Int = 1
    ) throws -> Machine {
        var specification = MachineSpecification(
            memory: memory, processors: processors, start: .firmware(try FirmwareImage(FilePath(image))))
        specification.devices = devices
        return try Machine(specification)
    }

    /// Runs the machine through its restarts until something else happens.
    private func run(_ machine: Machine) throws -> (event: MachineEvent?, output: String) {
        try machine.start()
        var output: [UInt8] = []
        let deadline = MonotonicClock.now.advanced(byMilliseconds: 90_000)
        while MonotonicClock.now < deadline {
            let isReady = try waitUntilReady(machine.eventDescriptor, for: .readable, milliseconds: 100)
            output += machine.serial.takeOutput()
            let text = String(decoding: output, as: UTF8.self)
            if text.contains("No bootable device") { return (nil, text) }
            guard isReady, let event = machine.takeEvent() else { continue }
            guard event == .reset else { return (event, text) }
            try machine.reset()
        }
        return (nil, String(decoding: output, as: UTF8.self))
    }

    @Test(
        "a boot loader finds screen, disk, ticks, clock, memory map, restart and power switch of a PC",
        arguments: [(images[0], 1, 64), (images[0], 4, 5120), (images[1], 2, 64)])
    func loader(image: String, processors: Int, mebibytes: UInt64) throws {
        let sector = try bootSector()
        let machine = try machine(
            image, [try disk(sector), try disk([], "second")], memory: mebibytes << 20, processors: processors)
        let (event, output) = try run(machine)
        machine.stop()
        #expect(event == .powerOff)
        // Without what moves a terminal's cursor.
        let text = output.replacing(#/\x1b(\[[0-9;?]*[A-Za-z]|.)/#, with: "")
        #expect(text.contains("BSTWCER") && text.contains("BSTWCEO"), "\(text)")
        #expect(machine.resets == 1)
    }

    @Test("a disk that nothing can be started from is told at once")
    func nothing() throws {
        let machine = try machine(Self.images[0], [try disk([])])
        let (event, output) = try run(machine)
        machine.stop()
        #expect(event == nil)
        #expect(output.contains("No bootable device"), "\(output)")
    }
}
