import Glibc
import JSON
import LinuxSystem
import Reporting
import SSH
import SSHTestServer
import SystemPackage
import TestSupport
import Testing

@testable import Provider

/// A machine whose guest runs while its record says that it is still starting: the command that started it was
/// interrupted. What takes the guest's help asks it, by any key that it may know.
@Suite(.enabled(if: getuid() == 0, "only root gives a user of the server's another shell")) struct StartingMachineTests
{
    enum Known: CaseIterable, Sendable { case own, wellKnown, none }
    enum Verb: CaseIterable, Sendable { case snapshot, livePackage, kernel }

    /// A guest that does nothing of what it is told: its user's login shell writes down that it was started, and fails.
    /// No script of wander's, which may switch machines off, is ever run.
    private final class Guest {
        let fixture: MachineFixture
        let server: TestServer
        let standIn: GuestStandIn
        let record: MachineRecord
        private let shell: TemporaryFolder
        var hasBeenAsked: Bool { !FileSystem.isAbsent(shell("asked")) }

        init(_ known: Known) throws {
            fixture = try MachineFixture()
            let created = try fixture.create()
            shell = try TemporaryFolder()
            let program = shell("shell")
            try AtomicFile.write(
                "#!/bin/sh\n: >\(shell("asked"))\necho asked; exit 3\n", to: program, permissions: 0o755)
            let key =
                switch known {
                case .own: try GuestAccess(fixture.machine).key()
                case .wellKnown: try #require(WellKnownKeys.all.first)
                case .none: try SSHKeyPair.generate(comment: "other")
                }
            server = try TestServer(accepting: [key.publicKey], shell: program.string)
            standIn = try GuestStandIn(in: fixture.machine.folder.path, leadingTo: server.port)
            record = try created.with([
                "provider": "kvm", "stage": "running", "user": .string(server.user), "ownKey": .bool(known == .own),
            ])
            try fixture.project.store.save(record)
        }

        deinit { standIn.end() }

        func perform(_ verb: Verb) throws {
            switch verb {
            case .snapshot: _ = try fixture.machine.saveSnapshot("one", replaces: false)
            case .livePackage:
                var options = PackageOptions(output: fixture.folder("out.box"))
                (options.isLive, options.keepsIdentity) = (true, true)
                _ = try fixture.machine.package(options)
            case .kernel: _ = try fixture.machine.package(PackageOptions(output: fixture.folder("out.box")))
            }
        }
    }

    @Test("it is logged into by its own key and by those of its box", arguments: [Known.own, .wellKnown])
    func session(known: Known) throws {
        let guest = try Guest(known)
        #expect(try guest.fixture.machine.openSession().session.isAuthenticated)
    }

    @Test("its guest is asked", arguments: Verb.allCases, [Known.own, .wellKnown])
    func asked(verb: Verb, known: Known) throws {
        let guest = try Guest(known)
        #expect(throws: SSHError.noShell(status: 3, said: "asked\n")) { try guest.perform(verb) }
        #expect(guest.hasBeenAsked)
    }

    @Test("what was tried is said where no key fits", arguments: Verb.allCases)
    func refused(verb: Verb) throws {
        let guest = try Guest(.none)
        let own = try GuestAccess(guest.fixture.machine).key().publicKey.fingerprint
        let error = #expect(throws: (any Error).self) { try guest.perform(verb) }
        let facing = try #require(error as? any UserFacingError)
        let words = "\(facing.summary) \(facing.detail ?? "")"
        #expect(words.contains("does not accept the SSH login of user '\(guest.server.user)'"), "\(words)")
        #expect(words.contains(own), "\(words)")
        #expect(!guest.hasBeenAsked)
    }

    @Test("its clock is set", arguments: [Known.own, .wellKnown])
    func clock(known: Known) throws {
        let guest = try Guest(known)
        #expect(try ClockSetting(guest.fixture.machine).run(guest.record, over: nil) != nil)
        #expect(guest.hasBeenAsked)
    }

    @Test("it is asked to shut down", .timeLimit(.minutes(15)), arguments: [Known.own, .wellKnown])
    func halt(known: Known) throws {
        let guest = try Guest(known)
        let (standIn, server) = (guest.standIn, guest.server)
        // As a guest that ends once it has been told so; it does not listen to its power button.
        let log = server.directory.path.appending("log")
        let thread = try LinuxSystem.Thread(name: "guest") {
            for _ in 0..<400 {
                if let text = try? FileSystem.read(log),
                    String(decoding: text, as: UTF8.self).contains("Starting session")
                {
                    return standIn.end()
                }
                MonotonicClock.sleep(milliseconds: 50)
            }
        }
        #expect(try guest.fixture.machine.halt(.graceful).actions == [.stopped])
        thread.join()
        #expect(guest.hasBeenAsked)
        #expect(standIn.requests.contains("power-button") && !standIn.requests.contains("stop"))
    }
}
