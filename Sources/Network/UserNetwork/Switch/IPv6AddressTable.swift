import LinuxSystem

/// Which machine an IPv6 address belongs to, if the address itself does not show it: the one that used it first, until
/// it has not used it for a long time (RFC 6620).
struct IPv6AddressTable {
    /// Addresses of one machine. A new one takes the place of the one that it has not used for the longest time: guests
    /// with temporary addresses (RFC 8981) make one a day.
    static let limit = 16
    /// How long an address that nobody uses stays its machine's, in milliseconds: as long as a guest's own temporary
    /// addresses.
    static let age: Int64 = 24 * 60 * 60 * 1000

    private struct Entry {
        var owner: String
        var used: MonotonicClock
    }
    private var entries: [IPv6Address: Entry] = [:]
    private var addresses: [String: Set<IPv6Address>] = [:]

    /// Notes that a machine uses an address.
    /// - Returns: Whether the address is its own.
    mutating func claim(_ address: IPv6Address, for machine: String, at now: MonotonicClock) -> Bool {
        if let entry = entries[address], entry.owner != machine {
            guard now.milliseconds(since: entry.used) > Self.age else { return false }
            addresses[entry.owner]?.remove(address)
        }
        entries[address] = Entry(owner: machine, used: now)
        addresses[machine, default: []].insert(address)
        if let own = addresses[machine], own.count > Self.limit,
            let oldest = own.subtracting([address]).min(by: { used($0).nanoseconds < used($1).nanoseconds })
        {
            addresses[machine]?.remove(oldest)
            entries[oldest] = nil
        }
        return true
    }

    private func used(_ address: IPv6Address) -> MonotonicClock { entries[address]?.used ?? MonotonicClock.now }

    /// Frees what a machine had.
    mutating func forget(_ machine: String) {
        for address in addresses.removeValue(forKey: machine) ?? [] { entries[address] = nil }
    }
}
