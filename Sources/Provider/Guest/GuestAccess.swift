import BoxFormat
import LinuxSystem
import Reporting
import SSH
import SystemPackage

/// The way into a machine's guest: its SSH port through the environment's network, and the keys that it may accept.
struct GuestAccess {
    let machine: Machine
    private var project: Project { machine.project }

    /// How Vagrant's boxes can be logged into, besides the well-known keys; some by this alone.
    static let conventionalUser = "vagrant"
    static let conventionalPassword = "vagrant"

    init(_ machine: Machine) { self.machine = machine }

    /// Connects to the machine's SSH server once; logged in with the machine's own key or, before first contact is
    /// complete, with any key that it may know.
    /// - Parameters:
    ///   - record: Of a machine that runs.
    ///   - patience: How long the guest may take for each step up to the login, in milliseconds; nil as long as slow
    ///     guests take.
    func connect(_ record: MachineRecord, patience: Int64? = nil) throws -> SSHSession {
        let own = try key()
        var options = options(record)
        if let patience { (options.bannerMilliseconds, options.stepMilliseconds) = (patience, patience) }
        let session = try SSHSession(over: try stream(waiting: nil), options)
        try session.authenticate(user: record.user, keys: record.isReady ? [own] : keys(of: record, own: own))
        return session
    }

    /// A session with a machine that runs, whatever its record says of it. One that is starting is asked too: it may
    /// have answered long ago to a command that was interrupted.
    /// - Parameter patience: As for ``connect(_:patience:)``.
    /// - Throws: ``ProviderError/notAnswering(machine:reason:)`` if it is starting and does not answer yet.
    func reach(_ record: MachineRecord, patience: Int64? = nil) throws -> SSHSession {
        if try machine.control(record).isPaused {
            throw ProviderError.notRunning(machine: machine.name, state: "paused")
        }
        do {
            return try connect(record, patience: patience)
        } catch let error as SSHError {
            guard !record.isReady, let layer = error.layer, layer <= .banner else { throw error }
            throw ProviderError.notAnswering(machine: machine.name, reason: error.summary)
        }
    }

    /// As ``reach(_:patience:)``, for what a guest that cannot be reached is no more than a reason for.
    /// - Parameter explain: Makes an error of the reason, which says what was tried.
    func reach(_ record: MachineRecord, orThrow explain: (_ reason: String) -> any Error) throws -> SSHSession {
        do { return try reach(record) } catch let error as any UserFacingError {
            guard error.kind != .interrupted else { throw error }
            let tried = error.detail.map { " (\($0.split(separator: "\n").joined(separator: "; ")))" } ?? ""
            throw explain(error.summary + tried)
        }
    }

    /// For a guest that may be slow: one connection that lasts costs it less than several that are given up.
    func options(_ record: MachineRecord) -> SSHSession.Options {
        var options = SSHSession.Options()
        options.cancellation = project.cancellation
        options.hostKey = record.hostKey.flatMap { try? SSHPublicKey(parsing: $0) }
        options.bannerMilliseconds = 60_000
        options.stepMilliseconds = 60_000
        return options
    }

    /// A stream to the guest's SSH port.
    func stream(
        port: UInt16 = 22, waiting: Int64?, _ cancellation: Cancellation? = nil
    ) throws(SSHError) -> OwnedDescriptor {
        do {
            let stream = try machine.guestConnection(port: port, waitingMilliseconds: waiting, cancellation)
            try stream.setNonBlocking()
            return stream
        } catch is Interruption {
            throw .interrupted
        } catch {
            throw .refused(machine.name)
        }
    }

    /// The machine's own key.
    func key() throws -> SSHKeyPair {
        let text = try FileSystem.read(machine.folder.privateKey, limit: 1 << 16)
        return try SSHKeyPair(parsing: String(decoding: text, as: UTF8.self))
    }

    /// All that the machine may know, the likeliest first. One that was interrupted in first contact may know both its
    /// own key and the well-known ones; one whose power was cut before its guest had written the new key down has only
    /// the old ones.
    func keys(of record: MachineRecord, own: SSHKeyPair) -> [SSHKeyPair] {
        // Nobody has ever published a key of such a guest.
        if record.seed == .login { return [own] }
        var boxes = boxKeys(of: record)
        if record.hasOwnKey || takesKey(record) { return [own] + WellKnownKeys.all + boxes }
        boxes += WellKnownKeys.all
        return boxes.prefix(1) + [own] + boxes.dropFirst()
    }

    /// Whether the guest has the machine's own key from its start on.
    func takesKey(_ record: MachineRecord) -> Bool {
        if record.seed == .login { return true }
        // A boot loader hands over nothing.
        guard record.start.flatMap(StartMethod.Firmware.init(rawValue:)) == nil else { return false }
        return (try? machine.box(of: record)).flatMap { DirectBoot(of: $0) }?.takesKey ?? false
    }

    /// The key that the box brings, if any.
    func boxKeys(of record: MachineRecord) -> [SSHKeyPair] {
        guard let path = (try? machine.box(of: record))?.privateKey,
            let text = try? FileSystem.read(path, limit: 1 << 16),
            let key = try? SSHKeyPair(parsing: String(decoding: text, as: UTF8.self))
        else { return [] }
        return [key]
    }
}
