import CLinux
import Glibc
import GuestMemory
import KVM
import LinuxSystem
import Synchronization
import SystemPackage
import Testing
import Virtio

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

    @Test("a device's thread that cannot be limited keeps the machine from starting")
    func failingThread() throws {
        let outcome = DeviceOutcome()
        let thread = try Thread(name: "full") {
            do {
                // The kernel counts the instructions of all filters of a thread, and of the threads that it makes.
                try Self.fillFilters()
                let memory = try GuestMemory(byteCount: 2 << 20)
                let device = EntropyDevice()
                let connection = try DeviceConnection(
                    InterruptRouter(), vectorCount: VirtioPCIFunction.vectorCount(for: device))
                let function = try VirtioPCIFunction(
                    device, memory: memory, interrupts: connection, doorbells: connection)
                let threads = try DeviceThreads()
                try threads.start(function, name: "free", filter: nil)
                try threads.waitUntilConfined()
                try threads.start(function, name: "limited", filter: Confinement.device)
                do throws(SystemError) {
                    try threads.waitUntilConfined()
                    outcome.say("started")
                } catch { outcome.say("\(error.errno == .noMemory)") }
                threads.stopAndJoin()
            } catch { outcome.say("\(error)") }
        }
        thread.join()
        #expect(outcome.said == ["true"])
    }

    /// Limits the calling thread by filters that let everything pass, until no other one fits.
    private static func fillFilters() throws {
        // Numbers that no kernel has, two apart, so that each is a part of the program.
        for count in [300, 30, 0] {
            let filter = SystemCallFilter(refusing: (0..<count).map { 2000 + 2 * $0 })
            var (isFull, rounds) = (false, 0)
            while !isFull, rounds < 20_000 {
                do throws(SystemError) { isFull = try !filter.apply(toAllThreads: false) } catch {
                    guard error.errno == .noMemory else { throw error }
                    isFull = true
                }
                rounds += 1
            }
        }
    }

    private final class DeviceOutcome: Sendable {
        private let words = Mutex<[String]>([])
        var said: [String] { words.withLock { $0 } }
        func say(_ word: String) { words.withLock { $0.append(word) } }
    }

    @Test("a confined monitor makes threads and no processes", arguments: [false, true])
    func newThreads(servesFiles: Bool) async throws {
        await #expect(processExitsWith: .success) { [servesFiles] in
            let copy = linux_fork()
            if copy == 0 {
                do {
                    // The copy has one thread, as the monitor has then.
                    _ = try Confinement.confineProcess(readable: [], writable: [], servesFiles: servesFiles)
                    let outcome = Outcome()
                    let thread = try Thread(name: "new") {
                        try? Confinement.confineThread(Confinement.processor)
                        outcome.socket.store(7, ordering: .releasing)
                    }
                    thread.join()
                    guard outcome.socket.load(ordering: .acquiring) == 7 else { _exit(2) }
                    // struct clone_args of 88 bytes, for a process; the signal is SIGCHLD.
                    var arguments = [UInt64](repeating: 0, count: 11)
                    arguments[4] = 17
                    let other = arguments.withUnsafeMutableBytes {
                        linux_syscall(435, UInt(bitPattern: $0.baseAddress), 88, 0, 0, 0)
                    }
                    if other == 0 { _exit(0) }
                    guard other == -38 else { _exit(3) }
                    let child = linux_syscall(56, 17, 0, 0, 0, 0)
                    if child == 0 { _exit(0) }
                    _exit(child == -38 ? 0 : 4)
                } catch { _exit(5) }
            }
            var status: CInt = 0
            waitpid(pid_t(copy), &status, 0)
            exit(linux_exit_status(status))
        }
    }
}
