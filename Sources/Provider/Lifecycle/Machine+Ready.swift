import BoxFormat
import EnvFile
import LinuxSystem
import NetworkControl
import Reporting
public import SSH
import SystemPackage

extension Machine {
    /// Waits until the machine can be logged into, makes the first contact, and sets the host name.
    /// - Returns: A session that is logged in with the machine's own key.
    func becomeReady(_ record: inout MachineRecord, _ definition: MachineDefinition) throws -> SSHSession {
        report(.step("waiting for SSH"))
        let own = try machineKey()
        let milliseconds = Int64(clamping: definition.bootTimeout.components.seconds) &* 1000
        let started = MonotonicClock.now
        var options = SSHSession.Options()
        options.cancellation = project.cancellation
        options.process = try watchProcess(record)
        options.hostKey = record.hostKey.flatMap { try? SSHPublicKey(parsing: $0) }
        // The machine's own key first. A machine that was interrupted in first contact may know both, and one whose power was
        // cut before its guest had written the new key down has only the old ones again.
        var wait = ReadyWait(user: record.user, keys: [own] + WellKnownKeys.all, options)
        if let box = try? box(of: record), let path = box.privateKey,
            let key = try? SSHKeyPair(
                parsing: String(decoding: try FileSystem.read(path, limit: 1 << 16), as: UTF8.self))
        {
            wait.keys.append(key)
        }
        let login: ReadyWait.Login
        do {
            login = try wait.run(milliseconds: milliseconds, report: reportStage) { () throws(SSHError) in
                try guestStream(waiting: 1000)
            }
        } catch {
            throw diagnose(error, record, seconds: milliseconds / 1000)
        }
        report(.note("SSH answered after \(MonotonicClock.now.milliseconds(since: started)) ms"))
        if record.hostKey == nil {
            record.hostKey = login.session.hostKey.line
            try project.store.save(&record)
        }
        let session = try firstContact(login, own: own, options, &record)
        try setHostname(definition.hostname, over: session)
        record.isReady = true
        try project.store.save(&record)
        return session
    }

    /// Connects to the machine's SSH server; logged in with its own key.
    /// - Parameter record: Of a machine that is ready.
    public func connect(_ record: MachineRecord) throws -> SSHSession {
        var options = SSHSession.Options()
        options.cancellation = project.cancellation
        options.hostKey = record.hostKey.flatMap { try? SSHPublicKey(parsing: $0) }
        let session = try SSHSession(over: try guestStream(waiting: nil), options)
        try session.authenticate(user: record.user, keys: [try machineKey()])
        return session
    }

    /// A stream to the guest's SSH port.
    func guestStream(port: UInt16 = 22, waiting: Int64?) throws(SSHError) -> OwnedDescriptor {
        do {
            let stream = try guestConnection(port: port, waiting: waiting)
            try stream.setNonBlocking()
            return stream
        } catch is Interruption {
            throw .interrupted
        } catch {
            throw .refused(name)
        }
    }

    private func machineKey() throws -> SSHKeyPair {
        try SSHKeyPair(parsing: String(decoding: try FileSystem.read(folder.privateKey, limit: 1 << 16), as: UTF8.self))
    }

    private func reportStage(_ stage: ReadyWait.Stage) {
        switch stage {
        case .waitingForPort: report(.note("the guest boots"))
        case .waitingForBanner: report(.note("the SSH port is open"))
        case .greeted(let banner): report(.note("greeted by \(LogTail.sanitized(banner))"))
        case .loginRefused: report(.note("the guest refuses logins still"))
        case .ready: break
        }
    }

    private func firstContact(
        _ login: ReadyWait.Login, own: SSHKeyPair, _ options: SSHSession.Options, _ record: inout MachineRecord
    ) throws -> SSHSession {
        if record.hasOwnKey, login.key?.publicKey == own.publicKey { return login.session }
        report(.step("replacing the box's well-known key by the machine's own"))
        let session = try FirstContact.exchange(login.session, user: record.user, key: own) { () throws(SSHError) in
            try SSHSession(over: try guestStream(waiting: 5000), options)
        }
        record.hasOwnKey = true
        try project.store.save(&record)
        return session
    }

    /// Sets the guest's host name where it differs; nothing else of the guest's files is touched.
    private func setHostname(_ hostname: String, over session: SSHSession) throws {
        let script = """
            [ "$(cat /proc/sys/kernel/hostname)" = "$1" ] && [ "$(cat /etc/hostname 2>/dev/null)" = "$1" ] && exit 0
            if command -v hostnamectl >/dev/null 2>&1 && hostnamectl set-hostname "$1" 2>/dev/null; then exit 0; fi
            echo "$1" >/etc/hostname && hostname "$1"
            """
        _ = try session.require(GuestShell.line(script, [hostname], as: "root"), named: "set the host name")
    }
}
