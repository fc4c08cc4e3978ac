import CLinux
import KVM
import LinuxSystem
import Synchronization
import Testing

@testable import VMM

@Suite struct ConfinementTests {
    private final class Outcome: Sendable {
        let socket = Atomic(0)
        let open = Atomic(0)
        let request = Atomic(0)
        let event = Atomic(false)
    }

    @Test(
        "neither a processor's nor a device's thread opens files or sockets, and other threads still may",
        arguments: [0, 1])
    func threads(index: Int) throws {
        let outcome = Outcome()
        let thread = try Thread(name: "confined") {
            try? Confinement.confineThread(index == 0 ? Confinement.processor : Confinement.device)
            outcome.socket.store(linux_syscall(41, 1, 1, 0, 0, 0), ordering: .releasing)
            outcome.open.store(linux_openat(-100, "/", 0, 0), ordering: .releasing)
            // KVM_CREATE_VM, of no device: refused before the kernel looks at the descriptor.
            outcome.request.store(linux_ioctl_value(-1, 0xae01, 0), ordering: .releasing)
            // Neither needs a new eventfd: those are made before.
            do { _ = try EventDescriptor() } catch { outcome.event.store(true, ordering: .releasing) }
        }
        thread.join()
        let results = [
            outcome.socket.load(ordering: .acquiring), outcome.open.load(ordering: .acquiring),
            outcome.request.load(ordering: .acquiring),
        ]
        #expect(results == [-38, -38, -38])
        let refusedEvent = outcome.event.load(ordering: .acquiring)
        #expect(refusedEvent)
        let mine = linux_syscall(41, 1, 1, 0, 0, 0)
        #expect(mine >= 0)
        if mine >= 0 { OwnedDescriptor(owning: CInt(mine)).close() }
    }
}
