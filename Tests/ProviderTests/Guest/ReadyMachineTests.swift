import BoxFormat
import EnvFile
import Glibc
import JSON
import LinuxSystem
import SSH
import SSHTestServer
import SystemPackage
import TestSupport
import Testing

@testable import Provider

/// A machine that becomes ready, with this host's SSH server for its guest.
@Suite(.enabled(if: getuid() == 0, "only root shows a user of the server's other files")) struct ReadyMachineTests {
    /// The host name of this very host, so that nothing is set.
    private static let hostName = String(
        decoding: ((try? FileSystem.read("/proc/sys/kernel/hostname", limit: 1 << 10)) ?? []).prefix { $0 != 0x0a },
        as: UTF8.self)

    /// A box with a key of its own.
    private func addBox(_ key: SSHKeyPair, to fixture: MachineFixture) throws -> Box {
        let metadata = """
            {"provider":"libvirt","format":"raw","wander":{"schema":1,"name":"test/disk","version":"1",
            "architecture":"amd64"}}
            """
        let path = fixture.folder("own-key.box")
        try BoxWriter([
            "metadata.json": .bytes(Array(metadata.utf8)), "box.img": .bytes([UInt8](repeating: 1, count: 4096)),
            "vagrant_private_key": .bytes(Array(key.privateKeyText.utf8)),
        ]).write(to: path)
        return try fixture.store.add(path, BoxStore.AddOptions()).box
    }

    @Test("a key of the box's own opens it for the last time: it goes out, other people's keys stay")
    func ownKeyOfBox() throws {
        let fixture = try MachineFixture()
        let boxKey = try SSHKeyPair.generate(comment: "the box's")
        let other = try SSHKeyPair.generate(comment: "a colleague")
        let box = try addBox(boxKey, to: fixture)
        let created = try fixture.machine.exclusively {
            try Creation(fixture.machine).make(from: box, provider: .kvm).record
        }
        let server = try TestServer(
            accepting: [boxKey.publicKey, other.publicKey], files: ["/etc/hostname": Self.hostName + "\n"])
        let standIn = try GuestStandIn(in: fixture.machine.folder.path, leadingTo: server.port)
        defer { standIn.end() }
        let journal = fixture.machine.journal(
            try created.with(["stage": "running", "user": .string(server.user)]))
        var definition = fixture.definition
        definition.hostname = Self.hostName
        try FirstLogin(fixture.machine, journal, definition).run().session.close()
        let own = try GuestAccess(fixture.machine).key()
        let lines = String(decoding: try FileSystem.read(server.authorizedKeys), as: UTF8.self).split(separator: "\n")
        #expect(lines.map(String.init) == [other.publicKey.line, own.publicKey.line])
        #expect(throws: SSHError.self) { try server.logIn(boxKey) }
        #expect(journal.record.hasOwnKey && journal.record.isReady)
        // From here on by its own key, also where the record says that it may be another.
        #expect(try GuestAccess(fixture.machine).connect(journal.record).isAuthenticated)
    }

    @Test("a guest that hands out nothing of its kernel is not waited for without end", .timeLimit(.minutes(15)))
    func silentHandOut() throws {
        let fixture = try MachineFixture()
        let created = try fixture.create()
        let key = try GuestAccess(fixture.machine).key()
        // The first program that the script starts.
        let server = try TestServer(
            accepting: [key.publicKey], files: ["/usr/bin/uname": "#!/bin/sh\nexec sleep 50\n"])
        let standIn = try GuestStandIn(in: fixture.machine.folder.path, leadingTo: server.port)
        defer { standIn.end() }
        let record = try created.with([
            "provider": "kvm", "stage": "running", "user": .string(server.user), "ownKey": true, "ready": true,
        ])
        try fixture.project.store.save(record)
        let box = try #require(try fixture.store.list().boxes.first)
        #expect(throws: SSHError.timedOut(.channel, milliseconds: 700)) {
            try KernelHandOut(fixture.machine).obtain(record, box, silence: 700)
        }
        #expect(try !FileSystem.exists(fixture.machine.folder.path.appending("boot")))
    }
}
