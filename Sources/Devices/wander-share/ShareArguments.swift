import Reporting
import SystemPackage

/// The command line of `wander-share`.
struct ShareArguments: Equatable {
    /// Queues for requests, beside the one for what is urgent. QEMU's device has as many unless it is told otherwise.
    static let queueCount = 1

    /// Only for messages: the monitor tells the guest.
    var tag = ""
    var folder: FilePath = ""
    var isReadOnly = false
    /// An inherited descriptor: the connection to the monitor.
    var socketDescriptor: CInt = -1

    init(_ arguments: [String]) throws(ArgumentError) {
        var rest = arguments[...]
        while let option = rest.popFirst() {
            if option == "--read-only" {
                isReadOnly = true
                continue
            }
            guard ["--tag", "--folder", "--socket-descriptor"].contains(option) else { throw .unknown(option) }
            guard let value = rest.popFirst(), !value.isEmpty else { throw .missing(option) }
            switch option {
            case "--tag": tag = value
            case "--folder": folder = FilePath(value)
            default:
                guard let number = CInt(value), number >= 3 else { throw .missing(option) }
                socketDescriptor = number
            }
        }
        if tag.isEmpty { throw .missing("--tag") }
        if folder.isEmpty { throw .missing("--folder") }
        if socketDescriptor < 0 { throw .missing("--socket-descriptor") }
    }
}

enum ArgumentError: UserFacingError, Equatable {
    case unknown(String)
    case missing(String)

    var summary: String {
        switch self {
        case .unknown(let option): "there is no option \(option)"
        case .missing(let option): "\(option) needs a value"
        }
    }
    var kind: ErrorKind { .usage }
}
