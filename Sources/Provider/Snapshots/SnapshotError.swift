public import Reporting

/// Why a snapshot was not made, restored or deleted.
public enum SnapshotError: UserFacingError, Equatable {
    case badName(String)
    case exists(machine: String, name: String)
    case missing(machine: String, name: String, suggestion: String?)
    case nonePushed(machine: String)
    /// A disk made of more layers than this would be slow to read.
    case tooDeep(machine: String, limit: Int)
    /// A running machine whose guest cannot say what is on its disk.
    case notAtRest(machine: String, reason: String)
    case damaged(machine: String, name: String, file: String)
    /// An interrupted save or restore is still to be completed.
    case incompleteDisk(machine: String)

    public var summary: String {
        switch self {
        case .badName(let name): "'\(name)' is not a valid snapshot name"
        case .exists(let machine, let name): "\(machine) has a snapshot '\(name)' already"
        case .missing(let machine, let name, _): "\(machine) has no snapshot '\(name)'"
        case .nonePushed(let machine): "\(machine) has no snapshot that 'push' made"
        case .tooDeep(let machine, let limit):
            "the disk of \(machine) is built on \(limit) snapshots, each on the one before"
        case .notAtRest(let machine, _): "the disk of \(machine) is in use and cannot be brought to rest"
        case .incompleteDisk(let machine): "the disk of \(machine) has no layer of its own yet"
        case .damaged(let machine, let name, _): "the snapshot '\(name)' of \(machine) is not complete"
        }
    }

    public var detail: String? {
        switch self {
        case .notAtRest(_, let reason): reason
        case .damaged(_, _, let file): "\(file) is missing"
        default: nil
        }
    }

    public var remedy: String? {
        switch self {
        case .badName: "Use up to 64 letters, digits, '.', '_' and '-', a letter or digit first."
        case .exists(let machine, let name): "Replace it: wander snapshot save \(name) \(machine) --force"
        case .missing(let machine, _, let suggestion):
            suggestion.map { "Did you mean '\($0)'?" } ?? "See what there is: wander snapshot list \(machine)"
        case .nonePushed(let machine): "Restore one by its name: wander snapshot restore NAME \(machine)"
        case .tooDeep(let machine, _):
            "Delete some, so that layers can be joined: wander snapshot delete NAME \(machine)"
        case .notAtRest(let machine, _): "Halt it first: wander halt \(machine)"
        case .incompleteDisk(let machine): "Start it, which makes one: wander up \(machine)"
        case .damaged(let machine, let name, _): "Remove it: wander snapshot delete \(name) \(machine)"
        }
    }

    public var kind: ErrorKind {
        switch self {
        case .badName: .usage
        case .exists: .refused
        case .missing, .nonePushed: .notFound
        case .tooDeep, .notAtRest, .incompleteDisk: .wrongState
        case .damaged: .failure
        }
    }
}
