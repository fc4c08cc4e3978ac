public import JSON
public import NetworkAddress

/// What wander knows about a machine: the journal of its life. It is written before and after every side effect, so
/// that the next command sees what was under way when one was killed.
///
/// Only the transitions below change it, and ``MachineJournal`` writes each one to disk.
public struct MachineRecord: Sendable, Hashable {
    /// What was being done when the record was last written. A stage that ends in -ing names work that may be half
    /// done.
    public enum Stage: String, Sendable, CaseIterable {
        case creating, stopped, starting, running, stopping, destroying
    }

    public let identifier: String
    public let name: String
    public private(set) var provider: ProviderKind
    public private(set) var stage: Stage
    /// Seconds since 1970.
    public let created: Int64
    public private(set) var changed: Int64
    public let box: OriginBox
    /// The card's Ethernet address, the same for the machine's whole life.
    public let hardwareAddress: MACAddress
    public let user: String
    /// As many as its box has; each layer below is a file for each of them.
    let diskCount: Int
    /// nil for a machine without a disk for cloud-init.
    public let seed: SeedPurpose?
    /// The digest of what the guest was told of its surroundings, or `pending` while that is under way; nil: nothing.
    private(set) var surroundings: String?
    /// Whether its cloud-init is known to have done what it was told.
    public private(set) var isInitialized = false
    /// The definition that the machine was last started with, in its canonical form; nil before the first start.
    public private(set) var definition: JSONValue?
    /// How the guest was last started: `kernel`, `bios` or `uefi`; nil in the record of an older machine.
    public private(set) var start: String?
    public private(set) var process: ProcessIdentity?
    /// Whether SSH answered and first contact was completed since the last start.
    public private(set) var isReady = false
    /// Whether the machine's own key has replaced the well-known one.
    public private(set) var hasOwnKey = false
    /// The guest's SSH host key as first seen: `ssh-ed25519 AAAA...`.
    public private(set) var hostKey: String?
    public private(set) var forwards: [Forward] = []
    /// Whether the network that it was last started in lets it out; nil in the record of an older machine.
    private(set) var internet: Bool?
    /// The addresses of that network, such as `10.77.0.0/24`.
    private(set) var subnet: String?
    /// What the machine was last started with.
    public private(set) var shares: [MachineShare] = []
    /// Whether the guest has mounted its shares since the last start.
    private(set) var hasMountedShares = false
    /// Whether the guest's /etc/fstab may have lines of shares.
    private(set) var hasShareLines = false
    /// One record for each provisioner, as `Provisioning` writes them.
    public private(set) var provisioning: JSONValue = .array([])
    /// The frozen layers that the disk is made on, the uppermost first.
    private(set) var layers: [String] = []
    /// Whether the layer that the guest writes to is to be made again.
    private(set) var needsLayer = false
    /// The oldest first.
    public private(set) var snapshots: [MachineSnapshot] = []
}

// MARK: - A machine's life: creating → stopped → starting → running → stopping → stopped → destroying

extension MachineRecord {
    /// A machine that is about to be made.
    init(
        creating name: String, identifier: String, provider: ProviderKind, box: OriginBox,
        hardwareAddress: MACAddress,
        user: String, diskCount: Int = 1, seed: SeedPurpose? = nil,
        provisioning: JSONValue = .array([]), at time: Int64
    ) {
        self.init(
            identifier: identifier, name: name, provider: provider, stage: .creating, created: time, changed: time,
            box: box, hardwareAddress: hardwareAddress, user: user, diskCount: diskCount, seed: seed,
            provisioning: provisioning)
    }

    /// Its folder, disk and key are there, or its process has ended.
    mutating func stopped() {
        // What is being removed is stopped on the way.
        if stage != .destroying { stage = .stopped }
        process = nil
        isReady = false
        forwards = []
    }

    /// It is about to be started with `definition`. Nothing of its last run holds any longer.
    mutating func starting(
        by provider: ProviderKind, _ definition: JSONValue, shares: [MachineShare], start: StartMethod
    ) {
        stage = .starting
        self.start = start.word
        self.provider = provider
        self.definition = definition
        self.shares = shares
        process = nil
        isReady = false
        forwards = []
        hasMountedShares = false
    }

    /// It has its place in the environment's network.
    mutating func joined(internet: Bool, subnet: String, forwards: [Forward]) {
        self.internet = internet
        self.subnet = subnet
        self.forwards = forwards
    }

    /// Its process runs.
    /// - Parameter process: nil if nobody here can tell which it is; then what is known stays.
    mutating func started(_ process: ProcessIdentity?) {
        stage = .running
        if let process { self.process = process }
    }

    /// It was read in a copy of the machine's folder: the process that it names runs the machine of the other folder.
    mutating func copied() { process = nil }

    /// The process that runs it was found: the command that started it was killed before it could write that down.
    mutating func adopted(_ process: ProcessIdentity) { self.process = process }

    /// It is asked to stop, or about to be.
    mutating func stopping() {
        if stage != .destroying { stage = .stopping }
    }

    /// It is about to be removed.
    mutating func destroying() { stage = .destroying }
}

// MARK: - In the guest

extension MachineRecord {
    /// The guest has shown its host key, for the first time.
    mutating func greeted(_ hostKey: String) { self.hostKey = hostKey }

    /// The guest accepts the machine's own key, and no other that others have.
    mutating func ready() {
        hasOwnKey = true
        isReady = true
    }

    /// Its cloud-init has done what it was told.
    mutating func initialized() { isInitialized = true }

    /// The guest is about to be told of its surroundings.
    mutating func adapting() { surroundings = "pending" }

    /// - Parameter digest: Of what it was told; nil if that was to forget it.
    mutating func adapted(_ digest: String?) { surroundings = digest }

    /// The guest is about to write lines for its shares into its /etc/fstab.
    mutating func mountingShares() { hasShareLines = true }

    /// The guest has mounted its shares, and has lines for these alone.
    mutating func mountedShares() {
        hasMountedShares = true
        hasShareLines = !shares.isEmpty
    }

    /// - Parameter records: One a step, as `Provisioning` writes them.
    mutating func provisioned(_ records: JSONValue) { provisioning = records }
}

// MARK: - Its disks

extension MachineRecord {
    /// What the disk and what each snapshot is made on.
    var layerChains: [[String]] { [layers] + snapshots.map(\.layers) }

    /// A snapshot was saved, in place of one of its name.
    /// - Parameter freezes: Whether the disk is now made on the snapshot's layers. A machine that runs keeps its own, of
    ///   which the new layer is a copy.
    mutating func saved(_ snapshot: MachineSnapshot, freezes: Bool) {
        forgot(snapshot.name)
        snapshots.append(snapshot)
        if freezes { layers = snapshot.layers }
    }

    /// The disk is a snapshot's again, with what was known of the guest then.
    mutating func restored(_ snapshot: MachineSnapshot) {
        layers = snapshot.layers
        needsLayer = true
        provisioning = snapshot.provisioning
        hasOwnKey = snapshot.hasOwnKey
        hostKey = snapshot.hostKey
        hasShareLines = snapshot.hasShareLines
        surroundings = snapshot.surroundings
        // It may have been saved before that: asked once more, the guest knows.
        isInitialized = false
    }

    mutating func forgot(_ snapshot: String) { snapshots.removeAll { $0.name == snapshot } }

    /// The layer that the guest writes to was made again.
    mutating func madeLayer() { needsLayer = false }

    /// Two layers, one on the other, have become one, in one step for all that is made on them.
    mutating func merged(_ upper: String, andLower lower: String, into layer: String) {
        func replaced(_ chain: [String]) -> [String] {
            guard let place = chain.firstIndex(of: upper), chain.dropFirst(place + 1).first == lower else {
                return chain
            }
            return chain[..<place] + [layer] + chain[(place + 2)...]
        }
        layers = replaced(layers)
        snapshots = snapshots.map { snapshot in
            var snapshot = snapshot
            snapshot.layers = replaced(snapshot.layers)
            return snapshot
        }
    }

    /// - Parameter time: Of the change that is about to be written, in seconds since 1970.
    mutating func changed(at time: Int64) { changed = time }
}
