internal import Boot
internal import GuestMemory
internal import KVM
internal import LinuxSystem
internal import PCI
internal import Synchronization
internal import SystemPackage
public import Virtio

/// A virtual machine: memory, processors, devices, and the threads that run them.
///
/// One thread owns it and calls everything here. Reset replaces the hypervisor's side of it, with the processors and
/// interrupt controllers; memory, devices, and what is connected to them stay.
public final class Machine {
    private let specification: MachineSpecification
    private let hypervisor: Shared<Hypervisor>
    private let features: ProcessorFeatures
    private let memory: GuestMemory
    private let functions: PCIBus
    private let bus: MachineBus
    private let router = InterruptRouter()
    let control: RunControl
    private let deviceThreads: DeviceThreads
    private let powerButton: EventDescriptor
    private let firmware: LoadedFirmware?
    private let virtioFunctions: [VirtioPCIFunction]
    private var current: VirtualMachine?
    private var processors: [ProcessorThread] = []
    private var pastExits: UInt64 = 0

    public let serial: SerialPort
    public private(set) var isPaused = false
    /// How many times the guest was started again.
    public private(set) var resets = 0

    /// Builds the machine; nothing runs yet.
    public init(_ specification: MachineSpecification) throws {
        hypervisor = Shared(try Hypervisor.open())
        let limit = min(254, hypervisor.value.processorLimit)
        guard specification.processors <= limit else {
            throw MachineError.tooManyProcessors(wanted: specification.processors, limit: limit)
        }
        let deviceLimit = PCIBus.deviceCount - specification.firstDevice
        guard specification.devices.count <= deviceLimit else {
            throw MachineError.tooManyDevices(limit: deviceLimit)
        }
        self.specification = specification
        features = try hypervisor.value.supportedFeatures()
        memory = try GuestMemory(byteCount: specification.memory)
        functions = PCIBus(apertures: specification.platform.deviceWindows)
        serial = try SerialPort()
        control = try RunControl()
        powerButton = try EventDescriptor()
        deviceThreads = try DeviceThreads()
        var virtioFunctions: [VirtioPCIFunction] = []
        for (index, device) in specification.devices.enumerated() {
            let made = try device.make(memory)
            let connection = try DeviceConnection(router, vectorCount: VirtioPCIFunction.vectorCount(for: made))
            let function = try VirtioPCIFunction(
                made, memory: memory, interrupts: connection, doorbells: connection)
            functions.add(function, at: specification.firstDevice + index)
            virtioFunctions.append(function)
        }
        self.virtioFunctions = virtioFunctions
        switch specification.start {
        case .kernel:
            firmware = nil
            guard functions.assignAddresses() else { throw MachineError.tooManyDevices(limit: deviceLimit) }
        case .firmware(let image):
            if specification.hasChipset {
                functions.add(ChipsetFunction.portBridge, at: 1)
                // Systems do not look there, since the bridge says that it is alone.
                functions.add(
                    ChipsetFunction.powerManagement(ports: MachineLayout.powerEventPort), at: 1, number: 3)
            }
            let disks = virtioFunctions.indices.filter { virtioFunctions[$0].device.kind == .block }
                .map { specification.firstDevice + $0 }
            firmware = try LoadedFirmware(image, specification.platform, disks: disks, memory: memory)
        }
        bus = MachineBus(
            serial: serial, functions: functions, platform: specification.platform, computer: firmware?.computer)
    }

    /// Starts the devices' threads and the guest.
    public func start() throws {
        for (function, device) in zip(virtioFunctions, specification.devices) {
            try deviceThreads.start(
                function, name: device.name,
                filter: specification.isConfined ? Confinement.filter(for: device) : nil)
        }
        try firmware?.clock.start(
            filter: specification.isConfined ? Confinement.clock : nil,
            failed: { [control] in control.report(.failure($0)) })
        try startGuest()
    }

    private func startGuest() throws {
        let making = try MachineMaking(hypervisor)
        defer { making.join() }
        var entry: ProcessorState?
        switch specification.start {
        case .kernel(let start):
            let kernel = try Kernel.open(
                start.kernel, cache: start.cache, form: start.form, memory: specification.memory)
            let plan = try BootPlan(
                kernel, initialRAMDisk: start.initialRAMDisk, commandLine: start.commandLine,
                platform: specification.platform)
            try memory.apply(plan)
            entry = ProcessorState(plan.entry)
        case .firmware(let image): if let shadow = image.shadow { try memory.apply(shadow) }
        }
        let machine = try making.result()
        for (slot, region) in memory.regions.enumerated() {
            let bytes = unsafe UnsafeMutableRawBufferPointer(start: region.hostAddress, count: Int(region.byteCount))
            try unsafe machine.setMemory(slot: UInt32(slot), at: region.guestAddress, bytes)
        }
        try firmware?.show(to: machine, slot: UInt32(memory.regions.count))
        try machine.makeInterruptControllers(reserved: specification.platform.hypervisorReserved)
        // A BIOS and old systems count its ticks; for UEFI they would only pile up.
        if firmware != nil { try machine.makeIntervalTimer(catchesUp: !specification.hasChipset) }
        let virtualProcessors = try makeProcessors(machine, entry)
        try router.attach(machine)
        try machine.connect(serial.interrupt, toInterrupt: MachineLayout.serialInterrupt)
        if let computer = firmware?.computer {
            try computer.attach(machine)
        } else {
            try machine.connect(powerButton, toInterrupt: MachineLayout.powerButtonInterrupt)
        }
        current = machine
        control.command.store(.run, ordering: .releasing)
        isPaused = false
        try deviceThreads.waitUntilConfined()
        for processor in virtualProcessors {
            processors.append(
                try ProcessorThread(
                    processor, bus: bus, control: control, isConfined: specification.isConfined))
        }
    }

    /// - Parameter start: nil leaves the first processor as after power-on: in the firmware's last 16 bytes.
    private func makeProcessors(_ machine: VirtualMachine, _ start: ProcessorState?) throws -> [VirtualProcessor] {
        let count = specification.processors
        var made: [VirtualProcessor] = []
        for index in 0..<count {
            let processor = try machine.makeProcessor(index)
            try processor.setFeatures(
                features.forProcessor(index, of: count, tscKilohertz: processor.tscKilohertz))
            if let start {
                _ = try processor.setModelRegisters(VirtualProcessor.bootModelRegisters)
                // The others wait for the first one's start-up interrupt, as after power-on.
                if index == 0 { try processor.setState(start) }
            }
            try processor.connectLocalInputs()
            made.append(processor)
        }
        return made
    }

    // MARK: - Control

    /// Readable when there is an event to take with ``takeEvent()``.
    public var eventDescriptor: CInt { control.happened.value.descriptor.rawValue }

    /// The first thing that happened since the last call. Events that other processors reported meanwhile are dropped:
    /// they are about the same end of the same machine, and a machine that crashes with three processors has not
    /// crashed three times.
    public func takeEvent() -> MachineEvent? { control.takeEvents().first }

    /// Presses the power button. The guest decides what to do about it.
    public func pressPowerButton() {
        if let computer = firmware?.computer { computer.pressPowerButton() } else { powerButton.signal() }
    }

    /// Stops all processors until ``resume()``. Devices finish what they have and get nothing new.
    /// - Parameter patience: How long to wait for them, in milliseconds. A processor that waits for a device, as for
    ///   the end of its requests at a reset, stops after that.
    /// - Throws: ``MachineError/processorBusy(index:)`` if one does not stop; then all of them continue.
    public func pause(patience: Int64 = 5_000) throws {
        guard !isPaused else { return }
        let number = control.beginPause()
        for processor in processors { processor.kick() }
        let deadline = MonotonicClock.now.advanced(byMilliseconds: patience)
        while let busy = processors.firstIndex(where: { !$0.hasStopped(for: number) }) {
            let left = deadline.milliseconds(since: .now)
            guard left > 0 else {
                letProcessorsRun()
                throw MachineError.processorBusy(index: busy)
            }
            _ = try waitUntilReady(
                control.paused.value.descriptor.rawValue, for: .readable, milliseconds: Int32(clamping: left))
            control.paused.value.take()
        }
        isPaused = true
    }

    public func resume() {
        guard isPaused else { return }
        isPaused = false
        letProcessorsRun()
    }

    private func letProcessorsRun() {
        control.command.store(.run, ordering: .releasing)
        for processor in processors { processor.resume() }
    }

    /// Starts the guest again, with empty memory.
    public func reset() throws {
        stopProcessors()
        functions.reset()
        try router.attach(nil)
        current = nil
        serial.reset()
        firmware?.computer.reset()
        _ = control.takeEvents()
        for region in memory.regions { try memory.discard(at: region.guestAddress, count: Int(region.byteCount)) }
        resets += 1
        try startGuest()
    }

    /// Ends every thread. Requests to devices that are under way are finished; the caller closes the devices' files.
    public func stop() {
        stopProcessors()
        functions.reset()
        deviceThreads.stopAndJoin()
        firmware?.clock.stopAndJoin()
        try? router.attach(nil)
        current = nil
    }

    private func stopProcessors() {
        control.command.store(.stop, ordering: .releasing)
        for processor in processors {
            processor.kick()
            processor.resume()
        }
        for processor in processors { processor.join() }
        pastExits += processors.reduce(0) { $0 + $1.exits }
        processors = []
        control.paused.value.take()
    }

    /// Reads guest memory, for tests.
    func load(at address: UInt64) throws -> UInt64 { try memory.load(at: address) }

    /// Asks the guest for the numbers that only it knows. Its answers are in ``deviceStatistics`` a little later.
    public func refreshDeviceStatistics() { for function in virtioFunctions { function.device.refreshCounters() } }

    /// What each device has done since the start, in the order in which the guest finds them.
    public var deviceStatistics: [DeviceStatistics] {
        zip(specification.devices, virtioFunctions).map { device, function in
            DeviceStatistics(
                name: device.name, kind: function.device.kind, isStopped: function.signals.isStopped,
                faults: function.signals.stopReasons.map { "\($0)" }, counters: function.device.counters)
        }
    }

    /// Counts since the start.
    public var statistics: MachineStatistics {
        let counts = bus.counts
        return MachineStatistics(
            exits: pastExits + processors.reduce(0) { $0 + $1.exits }, portAccesses: counts.ports,
            memoryAccesses: counts.memory, unknownAccesses: counts.unknown, resets: resets)
    }
}

/// One device of a running machine.
public struct DeviceStatistics: Equatable, Sendable {
    public var name: String
    public var kind: VirtioDeviceKind
    /// Whether it waits for a reset because of what its driver did.
    public var isStopped: Bool
    /// What the driver did, over the device's life.
    public var faults: [String]
    public var counters: [DeviceCounter]
}

/// Counts of what a machine has done since it was started.
public struct MachineStatistics: Equatable, Sendable {
    /// How many times processors have left the guest.
    public var exits: UInt64
    public var portAccesses: UInt64
    public var memoryAccesses: UInt64
    /// Accesses that no device answered.
    public var unknownAccesses: UInt64
    public var resets: Int
}
