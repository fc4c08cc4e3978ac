import DiskImage
import EnvFile
import Glibc
import JSON
import LinuxSystem
import NetworkAddress
import Reporting
import SSH
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Provider

/// The disk by which an image's cloud-init learns whose machine it is in.
@Suite struct SeedDiskTests {
    static let disk = LaunchPlan.Disk(path: "seed.img", format: .raw, isReadOnly: true)

    private static func plan(_ life: LifeFixture) throws -> LaunchPlan {
        try #require(life.provider.state.withLock { $0.plans.last })
    }
    private static func seed(_ life: LifeFixture) throws -> String {
        String(decoding: try FileSystem.read(life.machine().folder.seed, limit: 1 << 20), as: UTF8.self)
    }
    private static func restart(_ life: LifeFixture) throws {
        _ = try life.machine().halt(.graceful)
        _ = try life.machine().up(UpOptions())
    }

    @Test("a machine of an image with cloud-init has the machine's name and key beside its disk, from its first start")
    func login() throws {
        let life = try LifeFixture("hostname: shop", cloudInit: true)
        _ = try life.machine().up(UpOptions())
        #expect(try Self.plan(life).extraDisks == [Self.disk])
        let (record, seed) = (try life.record(), try Self.seed(life))
        let key = try GuestAccess(life.machine()).key().publicKey
        for word in ["cidata", key.line, "wander-\(record.identifier)", "\"shop\"", "\"debian\""] {
            #expect(seed.contains(word), "\(word)")
        }
        #expect(seed.contains(record.hardwareAddress.description))
        #expect(record.seed == .login && record.user == "debian")
        #expect(try FileSystem.status(life.machine().folder.seed)?.permissions == 0o600)
    }

    @Test("a machine without cloud-init has no such disk")
    func none() throws {
        let life = try LifeFixture()
        _ = try life.machine().up(UpOptions())
        #expect(try Self.plan(life).extraDisks.isEmpty)
        #expect(try life.record().seed == nil && FileSystem.isAbsent(life.machine().folder.seed))
    }

    @Test("user-data gives any machine the disk, and leaves its login as it is")
    func otherBox() throws {
        let life = try LifeFixture("cloud_init: { content: \"#!/bin/sh\\ntouch /x\" }")
        _ = try life.machine().up(UpOptions())
        #expect(try Self.plan(life).extraDisks == [Self.disk])
        let (record, access) = (try life.record(), GuestAccess(try life.machine()))
        #expect(record.seed == .userData && !access.takesKey(record))
        #expect(access.keys(of: record, own: try access.key()).count == WellKnownKeys.all.count + 1)
    }

    @Test("nothing but the machine's own key is tried on an image with cloud-init")
    func keys() throws {
        let life = try LifeFixture(cloudInit: true)
        _ = try life.machine().up(UpOptions())
        let access = GuestAccess(try life.machine())
        let (own, record) = (try access.key(), try life.record().with(["ownKey": false]))
        #expect(access.takesKey(record))
        #expect(access.keys(of: record, own: own).map(\.publicKey) == [own.publicKey])
    }

    @Test("the disk is written again where what it says has changed, and only there")
    func again() throws {
        let life = try LifeFixture("hostname: shop", cloudInit: true)
        _ = try life.machine().up(UpOptions())
        let file = try life.machine().folder.seed
        let inode = try FileSystem.status(file)?.inode
        try Self.restart(life)
        #expect(try FileSystem.status(file)?.inode == inode)
        try life.write("hostname: other")
        try Self.restart(life)
        #expect(try Self.seed(life).contains("\"other\""))
        try FileSystem.remove(file)
        try Self.restart(life)
        #expect(try Self.seed(life).contains("\"other\""))
    }

    @Test("a machine keeps the user-data that it was made with, and a changed file is told")
    func change() throws {
        let life = try LifeFixture("cloud_init: data", cloudInit: true)
        _ = try life.folder.file("project/data", Array("#cloud-config\na: first\n".utf8))
        _ = try life.machine().up(UpOptions())
        let events = WarningLog()
        func remarks() throws -> [String] {
            events.warnings = []
            try SeedDisk(life.project(events: events).machine(named: "default")).reportChange(
                try #require(life.machine().definition))
            return events.warnings
        }
        #expect(try remarks().isEmpty)
        _ = try life.folder.file("project/data", Array("#cloud-config\na: second\n".utf8))
        try Self.restart(life)
        #expect(try Self.seed(life).contains("a: first"))
        #expect(try !Self.seed(life).contains("a: second"))
        #expect(try remarks().count == 1)
        _ = try life.machine().destroy()
        _ = try life.machine().up(UpOptions())
        #expect(try Self.seed(life).contains("a: second"))
        #expect(try remarks().isEmpty)
    }

    @Test("what cloud-init would pass over is an error before anything is made", arguments: ["packages: [git]\n", ""])
    func unknown(_ text: String) throws {
        let life = try LifeFixture("cloud_init: data", cloudInit: true)
        _ = try life.folder.file("project/data", Array(text.utf8))
        #expect(throws: SeedError.unknownForm("data")) { try life.machine().up(UpOptions()) }
        #expect(try life.machine().record() == nil)
        try FileSystem.remove(life.folder("project/data"))
        #expect {
            try life.machine().up(UpOptions())
        } throws: { error in
            guard let error = error as? SeedError, case .unreadable("data", _) = error else { return false }
            return error.kind == .invalidConfiguration
        }
        #expect(try life.machine().record() == nil)
    }

    @Test("a file that a guest may have put in place of another is refused")
    func link() throws {
        let life = try LifeFixture("shares: [\"shared:/shared\"]\ncloud_init: shared/data", cloudInit: true)
        try FileSystem.makeDirectory(life.folder("project/shared"))
        let secret = try life.folder.file("secret", Array("#cloud-config\n".utf8))
        #expect(symlink(secret.string, life.folder("project/shared/data").string) == 0)
        #expect {
            try life.machine().up(UpOptions())
        } throws: { error in
            if case ShareError.leadsOut? = error as? ShareError { true } else { false }
        }
    }

    @Test("cloud-init is waited for once in a machine's life, and again until it has done its work")
    func waiting() throws {
        let life = try LifeFixture("provision: [{ name: step, run: make }]", cloudInit: true)
        life.guests.fail("cloud-init")
        for _ in 0..<2 {
            #expect(throws: FakeGuests.Broken(stage: "cloud-init")) { try life.machine().up(UpOptions()) }
        }
        #expect(life.guests.done == ["login"])
        life.guests.fail()
        life.guests.forget()
        _ = try life.machine().up(UpOptions())
        #expect(life.guests.done == ["cloud-init", "step step", "probes"])
        life.guests.forget()
        try Self.restart(life)
        #expect(!life.guests.done.contains("cloud-init"))
        #expect(try life.record().isInitialized)
    }
}

/// Remembers warnings. Used by one thread.
final class WarningLog: EventSink {
    nonisolated(unsafe) var warnings: [String] = []

    func report(_ event: Event, about subject: String?) {
        if case .warning(let text) = event { warnings.append(text) }
    }
}
