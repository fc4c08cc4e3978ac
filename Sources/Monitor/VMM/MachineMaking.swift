internal import KVM
internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// Makes a machine on a thread of its own. That takes the kernel some milliseconds, mostly of waiting (for every
/// processor to notice that a thread is being moved between control groups). Meanwhile wander-vmm fills the guest's
/// memory.
final class MachineMaking {
    private final class Outcome: Sendable {
        let value = Mutex<Result<VirtualMachine, KVMError>?>(nil)
    }
    private let outcome: Outcome
    private let thread: ThreadHandle

    init(_ hypervisor: Shared<Hypervisor>) throws(SystemError) {
        let outcome = Outcome()
        self.outcome = outcome
        thread = ThreadHandle(
            try Thread(name: "machine", stackSize: 256 << 10) {
                let made = Result { () throws(KVMError) in try hypervisor.value.makeMachine() }
                outcome.value.withLock { $0 = made }
            })
    }

    /// Waits for the thread's end.
    func join() { thread.join() }

    /// The machine, once it is made.
    func result() throws(KVMError) -> VirtualMachine {
        thread.join()
        guard let made = outcome.value.withLock({ $0 }) else { throw .refused(request: "create a machine", .canceled) }
        return try made.get()
    }
}
