internal import CKVM
internal import Glibc
internal import LinuxSystem
public import SystemPackage

/// The host's KVM, `/dev/kvm` (Documentation/virt/kvm/api.rst).
public struct Hypervisor: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor
    /// The size of the region that the kernel shares with user space for each processor, in bytes.
    private let runSize: Int

    /// What every machine needs, with the kernel's name for it.
    private static let required: [(number: CInt, name: String)] = [
        (KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP"), (KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY"),
        (KVM_CAP_SET_TSS_ADDR, "KVM_CAP_SET_TSS_ADDR"), (KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID"),
        (KVM_CAP_IRQ_ROUTING, "KVM_CAP_IRQ_ROUTING"), (KVM_CAP_IRQFD, "KVM_CAP_IRQFD"),
        (KVM_CAP_IOEVENTFD, "KVM_CAP_IOEVENTFD"), (KVM_CAP_SIGNAL_MSI, "KVM_CAP_SIGNAL_MSI"),
        (KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT"), (KVM_CAP_TSC_DEADLINE_TIMER, "KVM_CAP_TSC_DEADLINE_TIMER"),
    ]

    /// Opens the device and checks that it supports what machines need.
    public static func open(_ path: FilePath = "/dev/kvm") throws(KVMError) -> Hypervisor {
        let descriptor = try openDevice(path)
        let version = try requesting("tell its version") { () throws(Errno) in
            try descriptor.perform(kvm_get_api_version)
        }
        guard version == 12 else { throw .unsupportedVersion(version) }
        for capability in required {
            let level = try? descriptor.perform(kvm_check_extension, value: UInt(capability.number))
            guard let level, level > 0 else { throw .lacking(capability.name) }
        }
        let runSize = try requesting("tell its sizes") { () throws(Errno) in try descriptor.perform(kvm_get_run_size) }
        return Hypervisor(descriptor: descriptor, runSize: runSize)
    }

    private static func openDevice(_ path: FilePath) throws(KVMError) -> OwnedDescriptor {
        do { return try OwnedDescriptor.open(path, .readWrite) } catch {
            switch error.errno {
            case .permissionDenied, .notPermitted: throw .notPermitted(path: path)
            case .noSuchFileOrDirectory, .noSuchAddressOrDevice, Errno(rawValue: ENODEV): throw .missing(path: path)
            default: throw .refused(request: "open \(path)", error.errno)
            }
        }
    }

    private init(descriptor: consuming OwnedDescriptor, runSize: Int) {
        self.descriptor = descriptor
        self.runSize = runSize
    }

    /// The most processors that one machine may have.
    public var processorLimit: Int {
        (try? descriptor.perform(kvm_check_extension, value: UInt(KVM_CAP_MAX_VCPUS))) ?? 1
    }

    /// Makes a machine without memory, processors or interrupt controllers.
    public func makeMachine() throws(KVMError) -> VirtualMachine {
        // Creating a machine may be interrupted half-way; `perform` tries again.
        let raw = try requesting("create a machine") { () throws(Errno) in try descriptor.perform(kvm_create_machine) }
        return VirtualMachine(OwnedDescriptor(owning: CInt(raw)), runSize: runSize)
    }

    /// The processor features that this KVM can offer a guest.
    public func supportedFeatures() throws(KVMError) -> ProcessorFeatures {
        var capacity = 128
        while true {
            do { return try ProcessorFeatures.read(from: descriptor, capacity: capacity) } catch {
                guard error == .argListTooLong, capacity < 4096 else {
                    throw .refused(request: "tell its processor features", error)
                }
                capacity *= 2
            }
        }
    }
}
