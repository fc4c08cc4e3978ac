import KVM
import LinuxSystem
import TestSupport
import Testing

@testable import VMM

private let hasKVM = (try? Hypervisor.open()) != nil

@Suite(.enabled(if: hasKVM), .serialized) struct MachineTests {
    @Test("a guest's output arrives, and its power-off is told", arguments: [1, 2, 4])
    func powerOff(processors: Int) throws {
        let kernel = try TinyKernel(TinyGuest.print("hello") + TinyGuest.powerOff)
        let machine = try Machine(kernel.specification(processors: processors))
        try machine.start()
        #expect(try machine.nextEvent() == .powerOff)
        #expect(machine.serial.takeOutput() == Array("hello".utf8))
        machine.stop()
    }

    @Test("a kernel lies in memory as in its file", arguments: [100, 65_000, 300_001])
    func wholeKernel(count: Int) throws {
        let code = TinyGuest.powerOff + (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
        let kernel = try TinyKernel(code)
        let machine = try Machine(kernel.specification())
        // The file has to be there until the guest runs.
        try withExtendedLifetime(kernel) { try machine.start() }
        #expect(try machine.nextEvent() == .powerOff)
        for offset in stride(from: 0, to: code.count - 8, by: 8) {
            let word = code[offset..<offset + 8].reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
            guard try machine.load(at: UInt64(16 << 20 + offset)) == word else {
                Issue.record("the bytes at \(offset) differ")
                break
            }
        }
        machine.stop()
    }

    @Test("a reset starts the guest anew, with empty memory and the same serial port")
    func reset() throws {
        // Prints the byte at 17 MiB, sets it, and asks for a reset.
        let kernel = try TinyKernel(
            [0x8a, 0x04, 0x25, 0, 0, 0x10, 0x01, 0x04, 0x61, 0x66, 0xba, 0xf8, 0x03, 0xee]
                + [0xc6, 0x04, 0x25, 0, 0, 0x10, 0x01, 5] + TinyGuest.reset + TinyGuest.loop)
        let machine = try Machine(kernel.specification())
        try machine.start()
        for round in 1...3 {
            #expect(try machine.nextEvent() == .reset)
            #expect(machine.serial.takeOutput() == Array("a".utf8))
            try machine.reset()
            #expect(machine.resets == round)
        }
        machine.stop()
    }

    @Test(
        "the reset ports of PCs do the same",
        arguments: [(0x64, 0xfe), (0xcf9, 0x06), (0x92, 0x01)] as [(UInt16, UInt8)])
    func resetPorts(port: UInt16, value: UInt8) throws {
        let kernel = try TinyKernel(TinyGuest.out(port, value) + TinyGuest.loop)
        let machine = try Machine(kernel.specification())
        try machine.start()
        #expect(try machine.nextEvent() == .reset)
        machine.stop()
    }

    @Test("a guest that loops for ever can be paused, resumed and stopped")
    func pause() throws {
        // Counts at 17 MiB.
        let kernel = try TinyKernel(
            TinyGuest.print("x") + [0x48, 0xff, 0x04, 0x25, 0, 0, 0x10, 0x01, 0xeb, 0xf6])
        let machine = try Machine(kernel.specification(processors: 2))
        try machine.start()
        #expect(
            try waitUntilReady(machine.serial.outputReady.descriptor.rawValue, for: .readable, milliseconds: 10_000))
        try machine.pause()
        #expect(machine.isPaused)
        let before: UInt64 = try machine.load(at: 17 << 20)
        _ = try waitUntilReady(machine.eventDescriptor, for: .readable, milliseconds: 50)
        #expect(try machine.load(at: 17 << 20) == before)
        machine.resume()
        #expect(!machine.isPaused)
        let deadline = MonotonicClock.now.advanced(byMilliseconds: 10_000)
        var after = before
        while after == before, MonotonicClock.now < deadline { after = try machine.load(at: 17 << 20) }
        #expect(after > before)
        machine.stop()
    }

    @Test("a pause that a processor does not obey is an error, and the next one stops every processor")
    func busyProcessor() throws {
        let device = BusyDevice()
        // Reads a field of the device's configuration, then counts at 17 MiB: `mov dx, 0xcf8; mov eax, register 4 of
        // device 1; out dx, eax; mov dx, 0xcfc; mov ax, 2; out dx, ax`; the device's 2 MiB take the last place of the
        // page table: `mov dword [0xbff8], 0xc0000083; mov ebx, address; mov eax, [rbx]`.
        let kernel = try TinyKernel(
            [0x66, 0xba, 0xf8, 0x0c, 0xb8, 0x04, 0x08, 0x00, 0x80, 0xef]
                + [0x66, 0xba, 0xfc, 0x0c, 0x66, 0xb8, 0x02, 0x00, 0x66, 0xef]
                + [0xc7, 0x04, 0x25, 0xf8, 0xbf, 0x00, 0x00, 0x83, 0x00, 0x00, 0xc0]
                + [0xbb, 0x00, 0x20, 0xe1, 0x3f, 0x8b, 0x03]
                + [0x48, 0xff, 0x04, 0x25, 0, 0, 0x10, 0x01, 0xeb, 0xf6])
        var specification = kernel.specification(processors: 2)
        specification.devices = [MachineSpecification.Device(name: "busy", device)]
        let machine = try Machine(specification)
        try machine.start()
        defer { machine.stop() }
        #expect(device.waitUntilAsked())
        #expect(throws: MachineError.processorBusy(index: 0)) { try machine.pause(patience: 100) }
        #expect(!machine.isPaused)
        device.answer()
        for _ in 0..<3 {
            try machine.pause()
            let before = try machine.load(at: 17 << 20)
            _ = try waitUntilReady(machine.eventDescriptor, for: .readable, milliseconds: 30)
            #expect(try machine.load(at: 17 << 20) == before)
            machine.resume()
        }
    }

    @Test("what several processors tell at once is one event")
    func oneEvent() throws {
        let kernel = try TinyKernel(TinyGuest.loop)
        let machine = try Machine(kernel.specification(processors: 3))
        for event in [MachineEvent.tripleFault, .tripleFault, .reset] { machine.control.report(event) }
        #expect(machine.takeEvent() == .tripleFault)
        #expect(machine.takeEvent() == nil)
    }

    @Test("a machine that is paused can be stopped and reset")
    func pausedEnd() throws {
        let kernel = try TinyKernel(TinyGuest.loop)
        let machine = try Machine(kernel.specification(processors: 2))
        try machine.start()
        try machine.pause()
        try machine.reset()
        #expect(!machine.isPaused)
        try machine.pause()
        machine.stop()
    }

    @Test("accesses to nothing read as ones, are counted, and harm nobody")
    func nothing() throws {
        // in al, 0x10; add al, 0x42 (0xff becomes 0x41); print it; read and write 0xd0000000; power off
        let kernel = try TinyKernel(
            [0xe4, 0x10, 0x04, 0x42, 0x66, 0xba, 0xf8, 0x03, 0xee]
                + [0xbb, 0, 0, 0, 0x20, 0xc1, 0xe3, 0x01] + TinyGuest.powerOff)
        let machine = try Machine(kernel.specification())
        try machine.start()
        #expect(try machine.nextEvent() == .powerOff)
        #expect(machine.serial.takeOutput() == [0x41])
        #expect(machine.statistics.unknownAccesses == 1)
        machine.stop()
    }

    @Test("more processors than there can be are refused before anything is made")
    func tooMany() throws {
        let kernel = try TinyKernel(TinyGuest.loop)
        #expect(throws: MachineError.self) { try Machine(kernel.specification(processors: 255)) }
    }
}
