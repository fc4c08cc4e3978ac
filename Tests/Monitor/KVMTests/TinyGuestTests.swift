import KVM
import LinuxSystem
import Synchronization
import Testing

@Suite(.enabled(if: Host.hasKVM), .serialized) struct TinyGuestTests {
    @Test("a port write leaves the guest with port, width and value")
    func portWrite() throws {
        // mov eax, 0x11223344; mov dx, 0x600; out dx, eax
        let guest = try TinyGuest([0xb8, 0x44, 0x33, 0x22, 0x11, 0x66, 0xba, 0x00, 0x06, 0xef])
        guard case .port(let access) = try guest.processor.run() else {
            Issue.record("no port access")
            return
        }
        #expect(access.port == 0x600 && access.width == 4 && access.isWrite && access.count == 1)
        #expect(access[0] == 0x1122_3344)
    }

    @Test("what a port read is given reaches the guest")
    func portRead() throws {
        // in al, 0x10; out 0x11, al
        let guest = try TinyGuest([0xe4, 0x10, 0xe6, 0x11])
        guard case .port(let read) = try guest.processor.run(), !read.isWrite else {
            Issue.record("no port read")
            return
        }
        read[0] = 0x5a
        guard case .port(let write) = try guest.processor.run() else {
            Issue.record("no port write")
            return
        }
        #expect(write[0] == 0x5a)
    }

    @Test("memory that is not RAM leaves the guest with address, width and value, and can be read")
    func memoryAccess() throws {
        // mov eax, [0xd0000000]; inc eax; mov [0xd0000004], eax
        let guest = try TinyGuest([0xa1, 0, 0, 0, 0xd0, 0x40, 0xa3, 4, 0, 0, 0xd0])
        guard case .memory(let read) = try guest.processor.run() else {
            Issue.record("no memory read")
            return
        }
        #expect(read.address == 0xd000_0000 && read.width == 4 && !read.isWrite)
        read.value = 41
        guard case .memory(let write) = try guest.processor.run() else {
            Issue.record("no memory write")
            return
        }
        #expect(write.address == 0xd000_0004 && write.isWrite && write.value == 42)
    }

    @Test("a write to a connected address signals its event and does not leave the guest")
    func writeEvent() throws {
        // mov [0xd0000000], eax; out 0x10, al
        let guest = try TinyGuest([0xa3, 0, 0, 0, 0xd0, 0xe6, 0x10])
        let event = try EventDescriptor()
        try guest.machine.connect(event, to: .memory(0xd000_0000))
        guard case .port = try guest.processor.run() else {
            Issue.record("the write left the guest")
            return
        }
        #expect(event.take() == 1)
        try guest.machine.disconnect(event, from: .memory(0xd000_0000))
    }

    @Test("a kick ends a guest that loops for ever, whether it comes before or during the run")
    func kick() throws {
        let guest = try TinyGuest([0xeb, 0xfe])  // jmp to itself
        guest.processor.kick()
        guard case .interrupted = try guest.processor.run() else {
            Issue.record("not interrupted")
            return
        }
        guest.processor.clearKick()
        let processor = guest.processor
        let signal = KickSignal.number
        let ended = try EventDescriptor(nonBlocking: false)
        let interrupted = Mutex(false)
        try withExtendedLifetime(guest) {
            try runAndKick(processor, signal, ended, interrupted)
        }
        #expect(interrupted.withLock { $0 })
    }

    private func runAndKick(
        _ processor: VirtualProcessor, _ signal: CInt, _ ended: borrowing EventDescriptor,
        _ interrupted: borrowing Mutex<Bool>
    ) throws {
        let result = Result()
        let thread = try Thread(name: "vcpu") {
            KickSignal.acceptInThisThread()
            if case .interrupted? = try? processor.run() { result.interrupted.store(true, ordering: .releasing) }
            result.ended.store(true, ordering: .releasing)
        }
        // The thread may not have entered the guest yet: the kick holds until it is cleared.
        processor.kick()
        while !result.ended.load(ordering: .acquiring) {
            thread.interrupt(with: signal)
            _ = try waitUntilReady(ended.descriptor.rawValue, for: .readable, milliseconds: 5)
        }
        thread.join()
        interrupted.withLock { $0 = result.interrupted.load(ordering: .acquiring) }
    }

    private final class Result: Sendable {
        let interrupted = Atomic(false)
        let ended = Atomic(false)
    }

    @Test("a triple fault is told apart from other exits")
    func tripleFault() throws {
        // ud2 without an interrupt table
        let guest = try TinyGuest([0x0f, 0x0b])
        switch try guest.processor.run() {
        case .tripleFault: break
        // An interpreting KVM (PVM) may give up on the exception instead.
        case .internalError: break
        default: Issue.record("another exit")
        }
    }

    @Test("routes accept every number below the limit, beside the controllers' own")
    func routes() throws {
        let guest = try TinyGuest([])
        let message = InterruptMessage(address: 0xfee0_0000, data: 0x40)
        try guest.machine.setRoutes([
            InterruptRoute(number: InterruptRoute.firstMessage, message: message),
            InterruptRoute(number: InterruptRoute.limit - 1, message: message),
        ])
        #expect(throws: KVMError.self) {
            try guest.machine.setRoutes([InterruptRoute(number: InterruptRoute.limit, message: message)])
        }
        let event = try EventDescriptor()
        try guest.machine.connect(event, toInterrupt: InterruptRoute.firstMessage)
        event.signal()
        try guest.machine.disconnect(event, fromInterrupt: InterruptRoute.firstMessage)
    }
}
