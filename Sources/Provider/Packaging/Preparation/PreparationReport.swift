public import JSON
import Reporting

/// What was done to the copy of a disk that a box is made of, as the guest reported it, line by line.
public struct PreparationReport: Sendable, Hashable {
    public struct Item: Sendable, Hashable {
        public enum Kind: String, Sendable, Hashable, CaseIterable {
            /// The machine's own login key went out and the well-known ones came in.
            case loginKey = "login-key"
            case hostKeys = "host-keys"
            case machineID = "machine-id"
            case history
            case secret
            /// What the guest had swapped out of its memory.
            case swap
            /// What ties a system to one machine: random seeds, leases, names of network cards, cloud-init's state.
            case trace
            /// Removed by `--clean`; ``bytes`` says how much.
            case clean
            /// Other keys that may log in. They were left.
            case otherKey = "other-key"
            case warning
        }
        public var kind: Kind
        public var text: String
        public var bytes: UInt64?
    }

    /// A kernel in the guest's `/boot` that is not the one that the machine was started with.
    public struct Kernel: Sendable, Hashable {
        public var version: String
        /// In bytes.
        public var kernelSize: UInt64
        public var initrdSize: UInt64
        /// SHA-256 in hexadecimal digits, since the guest does not notice when its output is not written completely.
        public var kernelDigest: String
        public var initrdDigest: String
    }

    public var items: [Item] = []
    public var kernel: Kernel?
    /// Whether the guest has come to the end of its work.
    var isComplete = false

    init() {}

    /// Reads what the guest wrote. The guest may write anything: what is not understood is left out.
    init(guestText: String) {
        // Whatever is not told in full, the end of the report says whether it came to its end.
        let all = guestText.split(separator: "\n")
        for line in all.prefix(5000) + all.dropFirst(5000).suffix(8) {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard let first = words.first else { continue }
            let rest = GuestText.line((words.count > 1 ? words[1] : "").utf8)
            switch first {
            case "end": isComplete = true
            case "kernel":
                let fields = rest.split(separator: " ").map(String.init)
                guard fields.count == 5, let size = UInt64(fields[1]), let initrd = UInt64(fields[2]) else { continue }
                kernel = Kernel(
                    version: fields[0], kernelSize: size, initrdSize: initrd, kernelDigest: fields[3],
                    initrdDigest: fields[4])
            case Item.Kind.clean.rawValue:
                let fields = rest.split(separator: " ", maxSplits: 1).map(String.init)
                guard fields.count == 2, let kibibytes = UInt64(fields[0]) else { continue }
                items.append(
                    Item(
                        kind: .clean, text: fields[1],
                        bytes: kibibytes.multipliedReportingOverflow(by: 1024).partialValue))
            default:
                guard let kind = Item.Kind(rawValue: first) else { continue }
                items.append(Item(kind: kind, text: rest))
            }
        }
    }

    func texts(_ kind: Item.Kind) -> [String] { items.filter { $0.kind == kind }.map(\.text) }

    /// What differs between the box and the machine, in words.
    public var lines: [String] {
        var lines: [String] = []
        func add(_ kind: Item.Kind, _ title: String) {
            let found = texts(kind)
            guard !found.isEmpty else { return }
            lines.append("\(title): \(found.joined(separator: ", "))")
        }
        add(.loginKey, "login key")
        add(.hostKeys, "SSH host keys")
        add(.machineID, "machine-id")
        add(.history, "history")
        add(.secret, "secrets")
        add(.swap, "swapped memory")
        add(.trace, "traces")
        let cleaned = items.filter { $0.kind == .clean }
        if !cleaned.isEmpty {
            let sum = cleaned.reduce(UInt64(0)) { $0 &+ ($1.bytes ?? 0) }
            lines.append("cleaned: \(ByteCount(sum)) in \(cleaned.map(\.text).joined(separator: ", "))")
        }
        return lines
    }

    public var json: JSONValue {
        .array(
            items.map { item in
                var members = [JSONMember("kind", .string(item.kind.rawValue)), JSONMember("what", .string(item.text))]
                if let bytes = item.bytes { members.append(JSONMember("bytes", .size(bytes))) }
                return .object(members)
            })
    }
}
