internal import LinuxSystem
public import SystemPackage

/// Finds out whether this host's KVM really runs guest kernels, by running one: a loop of a few instructions in kernel
/// mode. Some clouds offer a `/dev/kvm` that interprets a guest's kernel (such as PVM) at a thousandth of the speed,
/// lacking instructions that every distribution's kernel uses; nothing that such a device reports about itself shows
/// the difference.
public struct Probe: Sendable {
    public enum Verdict: Equatable, Sendable {
        case usable
        case missing
        case notPermitted
        /// KVM is there, but something that machines need is not.
        case unsuitable
        /// KVM interprets guest kernels instead of running them.
        case emulating
    }

    public let verdict: Verdict
    /// The device that was tried.
    public let device: FilePath
    /// KVM's API version, 12 on every current kernel; nil if KVM could not be asked.
    public let apiVersion: Int?
    /// Kernel-mode instructions per second; nil if none ran.
    public let instructionsPerSecond: Double?
    /// Why it is not usable.
    public let error: KVMError?

    /// Real hardware runs 10^9 instructions a second, a nested KVM on an emulated processor 10^7 to 10^8, an
    /// interpreter in the kernel 10^6.
    public static let slowest = 5e6
    /// Instructions between two looks at the clock: an interpreter takes about 3 ms for them.
    private static let burst = 5_000

    /// Takes less than 50 ms, mostly less than 5 ms.
    public static func run(device: FilePath = "/dev/kvm") -> Probe {
        let rate: Double
        do {
            rate = try measure(device)
        } catch {
            let verdict: Verdict =
                switch error {
                case .missing: .missing
                case .notPermitted: .notPermitted
                default: .unsuitable
                }
            let version: Int? =
                switch error {
                case .missing, .notPermitted: nil
                case .unsupportedVersion(let version): version
                case .lacking, .refused: 12
                }
            return Probe(
                verdict: verdict, device: device, apiVersion: version, instructionsPerSecond: nil, error: error)
        }
        return Probe(
            verdict: rate < slowest ? .emulating : .usable, device: device, apiVersion: 12, instructionsPerSecond: rate,
            error: nil)
    }

    /// The loop: `mov ecx, count` by the monitor; `dec ecx; jnz -2`; `out 0x10, al`; `jmp` to the start.
    private static let code: [UInt8] = [0xff, 0xc9, 0x75, 0xfc, 0xe6, 0x10, 0xeb, 0xf8]

    private static func measure(_ device: FilePath) throws(KVMError) -> Double {
        let hypervisor = try Hypervisor.open(device)
        let machine = try hypervisor.makeMachine()
        let memory: MemoryMapping
        do { memory = try MemoryMapping.anonymous(count: 4096) } catch {
            throw .refused(request: "get memory for a probe", error.errno)
        }
        unsafe memory.bytes.copyBytes(from: code)
        try unsafe machine.setMemory(slot: 0, at: 0x1000, memory.bytes)
        try machine.makeInterruptControllers(reserved: 0xfffb_c000)
        let processor = try machine.makeProcessor(0)
        try processor.setFeatures(hypervisor.supportedFeatures().forProcessor(0, of: 1))

        // The exit itself is subtracted: in a nested host it costs more than the loop.
        _ = try time(1, processor)
        var exit = Int64.max
        var loop = Int64.max
        let start = MonotonicClock.now
        for round in 0..<4 {
            if round > 0, MonotonicClock.now.milliseconds(since: start) > 20 { break }
            exit = min(exit, try time(1, processor))
            loop = min(loop, try time(burst / 2, processor))
        }
        _ = consume memory
        return Double(burst) * 1e9 / Double(max(1, loop - exit))
    }

    /// Nanoseconds that `count` rounds of the loop took.
    private static func time(_ count: Int, _ processor: VirtualProcessor) throws(KVMError) -> Int64 {
        var state = ProcessorState.protected(rip: 0x1000)
        state.rcx = UInt64(count)
        try processor.setState(state)
        let start = MonotonicClock.now
        var interruptions = 0
        while true {
            switch try processor.run() {
            case .port(let access) where access.port == 0x10 && access.isWrite:
                return MonotonicClock.now.nanoseconds - start.nanoseconds
            case .interrupted where interruptions < 100: interruptions += 1
            default: throw .lacking("the ability to run a loop of four instructions")
            }
        }
    }
}
