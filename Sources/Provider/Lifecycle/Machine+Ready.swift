import BoxFormat
import EnvFile
import LinuxSystem
import NetworkControl
import Provisioning
import Reporting
public import SSH
import SystemPackage

extension Machine {
    /// What is open to a machine that has just become ready.
    struct Contact {
        let session: SSHSession
        /// Root's, for the first script.
        let runner: GuestRunner
    }

    /// Waits until the machine can be logged into, makes the first contact, and sets the host name.
    func becomeReady(_ record: inout MachineRecord, _ definition: MachineDefinition) throws -> Contact {
        let label = "waiting for SSH"
        report(.step(label))
        let own = try machineKey()
        var options = patientOptions(record)
        options.process = try watchProcess(record)
        var wait = ReadyWait(user: record.user, keys: keys(of: record, own: own), options)
        if record.provider == .emulation { wait.refusalPatience *= 4 }
        let watch = BootWatch(
            self, label: label, limit: Self.bootMilliseconds(record.provider, definition.bootTimeout))
        // A box that takes the machine's key at boot needs no exchange of keys, hence no second login that proves it.
        let needsExchange = !record.hasOwnKey && !takesKey(record)
        var second: SecondConnection?
        defer { second?.abandon() }
        let started = MonotonicClock.now
        let login: ReadyWait.Login
        do {
            defer { report(.finished(label: label)) }
            login = try wait.run(
                bootLimit(record.provider, definition.bootTimeout, isAlive: { watch.isAlive }),
                report: { stage in
                    watch.enter(stage)
                    // Not before: a server that is slow to greet has one connection more to serve then.
                    if case .greeted = stage, needsExchange, second == nil {
                        second = try? secondConnection(wait.user, own, options)
                    }
                }, turn: watch.turn, connect: { () throws(SSHError) in try guestStream(waiting: 1000) })
        } catch {
            throw diagnose(error, record)
        }
        report(.note("SSH answered after \(MonotonicClock.now.milliseconds(since: started)) ms"))
        if record.hostKey == nil {
            record.hostKey = login.session.hostKey.line
            try project.store.save(&record)
        }
        let runner: GuestRunner
        let isProof = login.key?.publicKey == own.publicKey
        if record.hasOwnKey, isProof {
            runner = try rootRunner(hostname: definition.hostname, over: login.session)
            try runner.awaitPreparation()
        } else {
            if !isProof {
                report(.step("replacing the box's well-known key with the machine's own"))
                second = try second ?? secondConnection(record.user, own, options)
            }
            // What logged in by the key needs no other proof; old keys may be there all the same.
            let proof = isProof ? nil : second
            runner = try FirstContact.exchange(
                login.session, key: own.publicKey, old: boxKeys(of: record).map(\.publicKey), proof: proof,
                start: { () throws(SSHError) in try rootRunner(hostname: definition.hostname, over: login.session) },
                finish: { runner throws(SSHError) in try runner.awaitPreparation() })
            record.hasOwnKey = true
        }
        record.isReady = true
        try project.store.save(&record)
        return Contact(session: login.session, runner: runner)
    }

    /// All that the machine may know, the likeliest first. One that was interrupted in first contact may know both its
    /// own key and the well-known ones; one whose power was cut before its guest had written the new key down has only
    /// the old ones.
    func keys(of record: MachineRecord, own: SSHKeyPair) -> [SSHKeyPair] {
        var boxes = boxKeys(of: record)
        if record.hasOwnKey || takesKey(record) { return [own] + WellKnownKeys.all + boxes }
        boxes += WellKnownKeys.all
        return boxes.prefix(1) + [own] + boxes.dropFirst()
    }

    private func takesKey(_ record: MachineRecord) -> Bool {
        (try? box(of: record)).flatMap { DirectBoot(of: $0) }?.takesKey ?? false
    }

    /// That which the box brings, if any.
    private func boxKeys(of record: MachineRecord) -> [SSHKeyPair] {
        guard let path = (try? box(of: record))?.privateKey, let text = try? FileSystem.read(path, limit: 1 << 16),
            let key = try? SSHKeyPair(parsing: String(decoding: text, as: UTF8.self))
        else { return [] }
        return [key]
    }

    private func secondConnection(
        _ user: String, _ own: SSHKeyPair, _ options: SSHSession.Options
    ) throws(SSHError) -> SecondConnection {
        try SecondConnection(user: user, key: own, options) { () throws(SSHError) in try guestStream(waiting: 5000) }
    }

    /// Connects to the machine's SSH server once; logged in with the machine's own key or, before first contact is
    /// complete, with any key that it may know.
    /// - Parameters:
    ///   - record: Of a machine that runs.
    ///   - patience: How long the guest may take for each step up to the login, in milliseconds; nil as long as slow
    ///     guests take.
    public func connect(_ record: MachineRecord, patience: Int64? = nil) throws -> SSHSession {
        let own = try machineKey()
        var options = patientOptions(record)
        if let patience { (options.bannerMilliseconds, options.stepMilliseconds) = (patience, patience) }
        let session = try SSHSession(over: try guestStream(waiting: nil), options)
        try session.authenticate(user: record.user, keys: record.isReady ? [own] : keys(of: record, own: own))
        return session
    }

    /// For a guest that may be slow: one connection that lasts costs it less than several that are given up.
    func patientOptions(_ record: MachineRecord) -> SSHSession.Options {
        var options = SSHSession.Options()
        options.cancellation = project.cancellation
        options.hostKey = record.hostKey.flatMap { try? SSHPublicKey(parsing: $0) }
        options.bannerMilliseconds = 60_000
        options.stepMilliseconds = 60_000
        return options
    }

    /// A stream to the guest's SSH port.
    func guestStream(
        port: UInt16 = 22, waiting: Int64?, _ cancellation: Cancellation? = nil
    ) throws(SSHError) -> OwnedDescriptor {
        do {
            let stream = try guestConnection(port: port, waiting: waiting, cancellation)
            try stream.setNonBlocking()
            return stream
        } catch is Interruption {
            throw .interrupted
        } catch {
            throw .refused(name)
        }
    }

    func machineKey() throws -> SSHKeyPair {
        try SSHKeyPair(parsing: String(decoding: try FileSystem.read(folder.privateKey, limit: 1 << 16), as: UTF8.self))
    }

    /// Root's runner, which first sets the guest's host name where it differs; nothing else of the guest's files is
    /// touched.
    private func rootRunner(hostname: String, over session: SSHSession) throws(SSHError) -> GuestRunner {
        let script = """
            running=; saved=; read -r running </proc/sys/kernel/hostname
            if [ -r /etc/hostname ]; then read -r saved </etc/hostname; fi
            if [ "$running" != "$1" ] || [ "$saved" != "$1" ]; then
              if command -v hostnamectl >/dev/null 2>&1 && hostnamectl set-hostname "$1" 2>/dev/null; then :
              else echo "$1" >/etc/hostname && hostname "$1"; fi
            fi
            """
        return try GuestRunner(
            over: session, as: "root", preparing: .init(script, [hostname], named: "set the host name"))
    }
}
