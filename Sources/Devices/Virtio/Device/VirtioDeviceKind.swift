/// The types of devices (Virtio 1.2, section 5).
public enum VirtioDeviceKind: UInt16, Sendable, CaseIterable {
    case network = 1
    case block = 2
    case console = 3
    case entropy = 4
    case balloon = 5
    case socket = 19
    case fileSystem = 26

    /// Base class, subclass and programming interface for the PCI function.
    var classCode: UInt32 {
        switch self {
        case .network: 0x02_00_00
        case .block: 0x01_80_00
        case .console: 0x07_80_00
        case .fileSystem: 0x01_80_00
        case .entropy, .balloon, .socket: 0xff_00_00
        }
    }
}
