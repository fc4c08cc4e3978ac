internal import CKVM
internal import CLinux
internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// One processor of a machine. A single thread runs it and reads or sets its registers; any thread may ``kick()`` it.
@safe public final class VirtualProcessor: @unchecked Sendable {
    // Unchecked: the shared region belongs to the running thread, save for `immediate_exit`, which is written
    // atomically.
    public let index: Int
    let descriptor: OwnedDescriptor
    private let shared: MemoryMapping
    private let runState: UnsafeMutablePointer<kvm_run>

    init(_ descriptor: consuming OwnedDescriptor, index: Int, runSize: Int) throws(KVMError) {
        let mapping: MemoryMapping
        do { mapping = try MemoryMapping.shared(descriptor, count: runSize) } catch {
            throw .refused(request: "share a processor's state", error.errno)
        }
        guard let base = unsafe mapping.bytes.baseAddress, runSize >= MemoryLayout<kvm_run>.size else {
            throw .lacking("a processor state of the expected size")
        }
        self.index = index
        self.descriptor = descriptor
        unsafe runState = base.assumingMemoryBound(to: kvm_run.self)
        shared = mapping
    }

    /// Runs the guest until something needs the monitor.
    ///
    /// What a ``PortAccess`` or ``MemoryAccess`` reads takes effect at the next call.
    public func run() throws(KVMError) -> Exit {
        // Not `perform`, which would enter the guest again after a kick.
        let result = linux_ioctl_value(descriptor.rawValue, kvm_run_processor, 0)
        guard result >= 0 else {
            let errno = Errno(rawValue: CInt(truncatingIfNeeded: -result))
            if errno == .interrupted || errno == .resourceTemporarilyUnavailable { return .interrupted }
            throw .refused(request: "run a processor", errno)
        }
        return decodeExit()
    }

    /// Tells the guest that it did not run for a while, so that its watchdogs do not report a hanging processor. It has
    /// no effect on guests without KVM's clock.
    public func noteStop() { _ = linux_ioctl_value(descriptor.rawValue, kvm_note_stop, 0) }

    private func decodeExit() -> Exit {
        let reason = CInt(unsafe runState.pointee.exit_reason)
        switch reason {
        case KVM_EXIT_IO:
            let access = unsafe runState.pointee.io
            let offset = Int(truncatingIfNeeded: access.data_offset)
            let count = Int(access.size) * Int(access.count)
            // SAFETY: the kernel places the data inside the region; were it not so, the access would be dropped.
            let size = unsafe shared.bytes.count
            guard offset >= 0, offset <= size, count <= size - offset else { return .other(reason: UInt32(reason)) }
            let data = unsafe UnsafeMutableRawBufferPointer(rebasing: shared.bytes[offset..<offset + count])
            return unsafe .port(
                PortAccess(
                    port: access.port, width: Int(access.size), isWrite: access.direction == KVM_EXIT_IO_OUT, data: data
                ))
        case KVM_EXIT_MMIO:
            let access = unsafe runState.pointee.mmio
            let start = unsafe UnsafeMutableRawPointer(runState) + 40
            let count = Int(min(access.len, 8))
            return unsafe .memory(
                MemoryAccess(
                    address: access.phys_addr, isWrite: access.is_write != 0,
                    data: UnsafeMutableRawBufferPointer(start: start, count: count)))
        case KVM_EXIT_HLT: return .halted
        case KVM_EXIT_SHUTDOWN: return .tripleFault
        case KVM_EXIT_INTR: return .interrupted
        case KVM_EXIT_SYSTEM_EVENT: return .systemEvent(type: unsafe runState.pointee.system_event.type)
        case KVM_EXIT_FAIL_ENTRY:
            return .entryFailed(hardwareReason: unsafe runState.pointee.fail_entry.hardware_entry_failure_reason)
        case KVM_EXIT_INTERNAL_ERROR: return .internalError(subreason: unsafe runState.pointee.internal.suberror)
        default: return .other(reason: UInt32(reason))
        }
    }

    /// Makes the next entry into the guest return ``Exit/interrupted`` at once. To end a running one, also signal the
    /// thread that runs the processor (``KickSignal``).
    public func kick() { unsafe immediateExit.pointee.store(1, ordering: .sequentiallyConsistent) }

    /// Lets the guest run again after ``kick()``.
    ///
    /// Anything read after this call is at least as new as the last kick that it cleared.
    public func clearKick() { _ = unsafe immediateExit.pointee.exchange(0, ordering: .sequentiallyConsistent) }

    private var immediateExit: UnsafeMutablePointer<Atomic<UInt8>> {
        unsafe (UnsafeMutableRawPointer(runState) + 1).assumingMemoryBound(to: Atomic<UInt8>.self)
    }
}

/// The signal that takes a thread out of the guest.
public enum KickSignal {
    /// Its number, with a handler that does nothing installed.
    public static let number: CInt = kvm_install_kick_signal()

    /// Lets it reach the calling thread, which runs a processor: a thread starts with the signals blocked that its
    /// creator blocks.
    public static func acceptInThisThread() { kvm_accept_kick_signal() }
}
