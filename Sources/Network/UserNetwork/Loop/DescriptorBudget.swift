import LinuxSystem

/// How many descriptors machines may make this process open, which has one table for all of them.
///
/// A machine may have four times as many as are then still free: nearly all if it is alone, a fair share beside others,
/// and the last one still gets some (the rule by which switches share their memory, "dynamic threshold"). Listeners,
/// monitors and the control socket do not count.
final class DescriptorBudget {
    /// The most of one machine, whatever the process may have: each costs memory and time.
    static let machineLimit = 4096
    /// What is kept for everything else.
    private static let reserve = 32
    /// Listeners and links of one machine, and forwards.
    private static let perMachine = 8

    /// What the process may have open.
    let limit: Int
    private var accounts: [DescriptorAccount] = []

    init(limit: Int) { self.limit = min(limit, 65_536) }

    func account() -> DescriptorAccount {
        let account = DescriptorAccount(self)
        accounts.append(account)
        return account
    }
    func close(_ account: DescriptorAccount) { accounts.removeAll { $0 === account } }

    fileprivate func mayOpen(_ account: DescriptorAccount, isForClient: Bool) -> Bool {
        let total = limit - Self.reserve - Self.perMachine * accounts.count
        let free = total - accounts.reduce(0) { $0 + $1.used }
        let share = min(Self.machineLimit, 4 * free)
        return account.used < (isForClient ? share / 4 * 3 : share)
    }
}

/// The descriptors of one machine.
final class DescriptorAccount {
    private unowned let budget: DescriptorBudget
    /// Those that are counted where they are made.
    var open = 0
    /// Those of libslirp, which are counted once a round.
    var outside = 0

    fileprivate init(_ budget: DescriptorBudget) { self.budget = budget }

    var used: Int { open + outside }
    /// For what the guest itself asks for.
    var mayOpen: Bool { budget.mayOpen(self, isForClient: false) }
    /// For a client of one of its ports, whoever that is: a quarter is left for the guest's own questions and
    /// connections.
    var mayTakeClient: Bool { budget.mayOpen(self, isForClient: true) }
}
