import EnvFile
import JSON
import LinuxSystem
import Provisioning
import Synchronization

@testable import Provider

/// What all guests of a test do, and what was done to them.
final class FakeGuests: Sendable {
    struct Broken: Error, Equatable { var stage: String }

    let state = Mutex((failing: Set<String>(), done: [String](), listens: true))

    var done: [String] { state.withLock { $0.done } }

    /// Has `stage` fail, or work again.
    func fail(_ stages: String...) { state.withLock { $0.failing = Set(stages) } }
    /// Whether they end when they are asked over SSH.
    func listen(_ listens: Bool) { state.withLock { $0.listens = listens } }
    func forget() { state.withLock { $0.done = [] } }

    func enter(_ stage: String) throws {
        try state.withLock { state in
            if state.failing.contains(stage) { throw Broken(stage: stage) }
            state.done.append(stage)
        }
    }
}

/// A guest that answers at once, and whose steps are done when they are written down.
final class FakeGuest: GuestWork {
    private let guests: FakeGuests
    private let provider: FakeProvider
    private let journal: MachineJournal

    init(_ guests: FakeGuests, _ provider: FakeProvider, _ journal: MachineJournal) {
        self.guests = guests
        self.provider = provider
        self.journal = journal
    }

    func becomeReady(_ definition: MachineDefinition) throws {
        guard !journal.record.isReady else { return }
        try guests.enter("login")
        if journal.record.hostKey == nil { try journal.write { $0.greeted("ssh-ed25519 AAAA") } }
        try journal.write { $0.ready() }
    }

    func adapt(_ definition: MachineDefinition) throws {
        guard definition.proxy != nil || !definition.caCertificates.isEmpty else { return }
        try guests.enter("surroundings")
    }

    func awaitCloudInit(_ definition: MachineDefinition) throws {
        guard journal.record.seed != nil, !journal.record.isInitialized else { return }
        try guests.enter("cloud-init")
        try journal.write { $0.initialized() }
    }

    func setClock() throws { try guests.enter("clock") }

    func mountShares() throws {
        guard !journal.record.shares.isEmpty, !journal.record.hasMountedShares else { return }
        try guests.enter("mount")
        try journal.write { $0.mountedShares() }
    }

    func provision(_ definition: MachineDefinition, _ choice: ProvisioningChoice, hasStarted: Bool) throws -> Bool {
        let done = Set(journal.record.provisioning.arrayValue?.compactMap { $0["name"]?.stringValue } ?? [])
        let due = definition.provision.filter { choice == .all || !done.contains($0.name) }
        guard choice != .none, !due.isEmpty else { return false }
        for step in due {
            try guests.enter("step \(step.name)")
            let records = (journal.record.provisioning.arrayValue ?? []).filter { $0["name"]?.stringValue != step.name }
            try journal.write { $0.provisioned(.array(records + [["name": .string(step.name)]])) }
        }
        return true
    }

    func waitUntilProbesPass(_ definition: MachineDefinition) throws { try guests.enter("probes") }

    func run(_ step: ProvisioningStep, output: @escaping (String) -> Void) throws {
        try guests.enter("hook \(step.name)")
        output("\(step.name) in the guest")
    }

    func shutDown(within milliseconds: Int64) -> Bool {
        guard (try? guests.enter("shut down")) != nil else { return false }
        if guests.state.withLock({ $0.listens }) { provider.crash() }
        return true
    }

    func close() {}
}
