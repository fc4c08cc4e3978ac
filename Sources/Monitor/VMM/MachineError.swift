public import Reporting

/// Why a machine could not be built.
public enum MachineError: UserFacingError, Equatable {
    /// More processors than this host's KVM gives one machine.
    case tooManyProcessors(wanted: Int, limit: Int)
    /// The devices do not fit on one bus.
    case tooManyDevices(limit: Int)
    /// A processor did not stop in time to pause the machine.
    case processorBusy(index: Int)
    /// The guest resets again and again without getting anywhere.
    case resetLoop(count: Int)

    public var summary: String {
        switch self {
        case .tooManyProcessors(let wanted, let limit):
            "the machine wants \(wanted) processors; this host's KVM gives a machine at most \(limit)"
        case .tooManyDevices(let limit): "the machine has more than \(limit) devices"
        case .processorBusy(let index): "processor \(index) of the guest does not stop: a device keeps it"
        case .resetLoop(let count): "the guest crashed \(count) times in a row right after its start"
        }
    }

    public var remedy: String? {
        switch self {
        case .tooManyProcessors: "Give the machine fewer processors."
        case .tooManyDevices: "Remove disks or networks from the machine."
        case .processorBusy: "The machine goes on. Try again when its disks and folders are less busy."
        case .resetLoop: "Look at the machine's console log."
        }
    }

    public var kind: ErrorKind {
        switch self {
        case .tooManyProcessors: .hostNotAble
        case .tooManyDevices: .invalidConfiguration
        case .processorBusy, .resetLoop: .failure
        }
    }
}
