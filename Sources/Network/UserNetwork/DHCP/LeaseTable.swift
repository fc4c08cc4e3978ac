import JSON
import LinuxSystem
import NetworkAddress
import NetworkControl
import SystemPackage

/// Which machine has which address. A machine keeps its address, even while it does not run, as long as the file exists
/// and no Wanderfile claims the address for another.
struct LeaseTable {
    /// In bytes.
    private static let fileLimit = 1 << 20

    private let file: FilePath?
    private let subnet: IPv4Subnet
    private var addresses: [String: IPv4Address] = [:]
    /// Whether what the file says is known. A file that could not be read is not written either: what it says is still
    /// true.
    private var isRead = false
    private var notes: [String] = []
    private var said: Set<String> = []

    init(file: FilePath?, subnet: IPv4Subnet) {
        self.file = file
        self.subnet = subnet
        read()
    }

    /// What the log should say and does not yet.
    mutating func takeNotes() -> [String] {
        defer { notes = [] }
        return notes
    }

    private mutating func note(_ message: String) { if said.insert(message).inserted { notes.append(message) } }

    /// The machine's address: the one it asks for, else the one it had, else a free one that follows from its name.
    mutating func address(
        for machine: MachineAttachment, taken: Set<IPv4Address>
    ) throws(AttachmentError) -> IPv4Address {
        // What kept it from being read may have passed.
        read()
        if let wanted = machine.address {
            guard subnet.canHold(wanted) else { throw .addressOutside(wanted, subnet, machine: machine.name) }
            guard !taken.contains(wanted) else { throw .addressTaken(wanted, machine: machine.name) }
            remember(wanted, machine.name)
            return wanted
        }
        if let old = addresses[machine.name], !taken.contains(old) { return old }
        let size = UInt32(1) << UInt32(32 - subnet.prefixLength)
        // FNV-1a: the same name starts at the same place on every host.
        let hash = machine.name.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
        let reserved = taken.union(addresses.values)
        for avoided in [reserved, taken] {
            for step in 0..<size {
                let address = IPv4Address(rawValue: subnet.network.rawValue &+ (hash &+ step) % size)
                // The first ten are left to people who number their machines by hand.
                let low = address.rawValue &- subnet.network.rawValue < 10 && size > 32
                if subnet.canHold(address), !low, !avoided.contains(address) {
                    remember(address, machine.name)
                    return address
                }
            }
        }
        throw .full(subnet)
    }

    private mutating func remember(_ address: IPv4Address, _ name: String) {
        guard addresses[name] != address else { return }
        for (other, held) in addresses where held == address { addresses[other] = nil }
        addresses[name] = address
        write()
    }

    // MARK: The file

    private mutating func read() {
        guard let file, !isRead else { return }
        do throws(SystemError) {
            let bytes = try FileSystem.readIfThere(file, limit: Self.fileLimit)
            isRead = true
            guard let bytes else { return }
            guard let json = try? JSONParser.parse(bytes) else {
                return note("\(file) is damaged: which addresses machines had is not known")
            }
            guard json["schema"]?.integerValue == 1 else {
                isRead = false
                return note(
                    "\(file) is of another version of wander: its addresses are not used, and new ones are not kept")
            }
            learn(json["addresses"]?.objectValue ?? [])
        } catch {
            note("\(error.summary): which addresses machines had is not known, and new ones are not kept")
        }
    }

    /// Takes what the file says, as far as nobody has got an address since.
    private mutating func learn(_ members: [JSONMember]) {
        let given = addresses
        for member in members where given[member.name] == nil {
            guard let address = member.value.stringValue.flatMap({ IPv4Address($0) }), subnet.canHold(address),
                !given.values.contains(address)
            else { continue }
            addresses[member.name] = address
        }
        if !given.isEmpty { write() }
    }

    private mutating func write() {
        guard let file, isRead else { return }
        let sorted = addresses.sorted { $0.key < $1.key }
        let json: JSONValue = [
            "schema": 1,
            "addresses": .object(sorted.map { JSONMember($0.key, .string($0.value.description)) }),
        ]
        do throws(SystemError) {
            try AtomicFile.write(json.pretty, to: file, permissions: 0o600)
        } catch { note("\(error.summary): machines' addresses are not kept") }
    }
}
