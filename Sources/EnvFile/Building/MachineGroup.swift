import YAML

/// A machine as the layers have it, and which machines are made of it.
struct MachineGroup {
    struct Member {
        var name: String
        /// From 1.
        var index: Int
        /// The values of `${each.NAME}`; nil: there is no table.
        var row: [String: String]?
    }

    var name: String
    var mark: Mark
    /// The machine's keys, without those that say how many there are.
    var node: Node
    var members: [Member]
    /// Where the pattern of the names is; nil: wander made them.
    var names: Mark?

    /// The fixed address as the file has it, before anything is filled in.
    private var address: Node? { node["networks"]?.sequence?.first?["ip"] }

    /// Whether one address is written for all machines, so that each gets the next one.
    var countsAddresses: Bool {
        guard let text = address?.scalar else { return false }
        return !text.contains("${machine.") && !text.contains("${each.")
    }

    /// A list of addresses has one for each machine.
    func checkAddresses(_ problems: Problems) {
        guard let address, let list = address.sequence, list.count != members.count else { return }
        problems.report(
            "'ip' has \(list.count) \(list.count == 1 ? "address" : "addresses") for \(members.count) "
                + (members.count == 1 ? "machine" : "machines"),
            hint: members.count == 1
                ? "Write one address." : "Write one for each machine, or a single one: the others get the next ones.",
            at: address.mark)
    }
}
