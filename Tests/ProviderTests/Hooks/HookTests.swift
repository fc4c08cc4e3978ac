import EnvFile
import LinuxSystem
import Reporting
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Provider

/// What runs before and after commands, and what its failure means.
@Suite struct HookTests {
    /// A machine whose hooks write down on the host what they know.
    private func life(_ hooks: String, top: String = "") throws -> LifeFixture {
        try LifeFixture("\(top)\nmachines: { web: { hooks: \(hooks) } }")
    }

    private func log(_ life: LifeFixture) -> [String] {
        let bytes = (try? FileSystem.read(life.folder("project/log"))) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private static let all = """
        { before_up: ["echo $WANDER_EVENT $WANDER_MACHINE $WANDER_ENVIRONMENT >>log"], after_up: ["echo $WANDER_EVENT >>log"],
        before_halt: ["echo $WANDER_EVENT >>log"], after_halt: ["echo $WANDER_EVENT >>log"],
        before_reload: ["echo $WANDER_EVENT >>log"], after_reload: ["echo $WANDER_EVENT >>log"],
        before_provision: ["echo $WANDER_EVENT >>log"], after_provision: ["echo $WANDER_EVENT >>log"],
        before_suspend: ["echo $WANDER_EVENT >>log"], after_resume: ["echo $WANDER_EVENT >>log"],
        before_destroy: ["echo $WANDER_EVENT >>log"], after_destroy: ["echo $WANDER_EVENT >>log"] }
        """

    @Test("each command that does something runs its hooks, in the project's folder, and tells them what it is")
    func events() throws {
        let life = try life(Self.all)
        _ = try life.machine("web").up(UpOptions())
        _ = try life.machine("web").provision(.asNeeded)
        _ = try life.machine("web").reload(UpOptions(), .graceful)
        _ = try life.machine("web").suspend()
        _ = try life.machine("web").resume()
        _ = try life.machine("web").halt(.graceful)
        // What does nothing has no hooks.
        _ = try life.machine("web").halt(.graceful)
        _ = try life.machine("web").destroy()
        _ = try life.machine("web").destroy()
        #expect(
            log(life) == [
                "before_up web project", "after_up", "before_provision", "after_provision", "before_reload",
                "after_reload",
                "before_suspend", "after_resume", "before_halt", "after_halt", "before_destroy", "after_destroy",
            ])
    }

    @Test("a before_ hook that fails stops the command before it does anything")
    func before() throws {
        let life = try life("{ before_up: [{ name: policy, run: \"echo no >&2; exit 3\" }, \"echo later >>log\"] }")
        let error = #expect(throws: HookError.self) { try life.machine("web").up(UpOptions()) }
        #expect(
            error
                == HookError(event: "before_up", isBefore: true, hook: "policy", reason: .status(3), lastLines: ["no"]))
        #expect(error?.kind == .refused)
        #expect(try life.machine("web").state().state == .notCreated)
        #expect(log(life).isEmpty)
    }

    @Test("an after_ hook that fails is told with a status of its own, and the work is done")
    func after() throws {
        let life = try life("{ after_up: [\"exit 3\"] }")
        let error = #expect(throws: HookError.self) { try life.machine("web").up(UpOptions()) }
        #expect(error?.kind == .hookFailed && error?.kind.exitStatus == 13)
        #expect(try life.machine("web").state().state == .running)
    }

    @Test("'on_error: warn' goes on, and says what failed")
    func warn() throws {
        let life = try life(
            "{ before_up: [{ run: \"exit 3\", on_error: warn }, { run: sleep 60, timeout: 1s, on_error: warn }, \"echo on >>log\"] }"
        )
        let events = EventList()
        _ = try life.project(events: events).machine(named: "web").up(UpOptions())
        #expect(events.warnings.count == 2)
        #expect(events.warnings.first?.contains("before_up-1' (before_up) failed with exit status 3") == true)
        #expect(events.warnings.last?.contains("did not end within 1 s") == true)
        #expect(log(life) == ["on"])
    }

    @Test("Ctrl-C ends a hook and the command, whatever on_error says")
    func interrupted() throws {
        let life = try life("{ before_up: [{ run: echo begun; sleep 60, on_error: warn }] }")
        let cancellation = try Cancellation()
        let events = EventList { if $0 == .output("begun") { cancellation.request() } }
        #expect(throws: Interruption.self) {
            try life.project(cancellation, events: events).machine(named: "web").up(UpOptions())
        }
        #expect(try life.machine("web").state().state == .notCreated)
    }

    @Test("a hook in the guest runs there while there is one, and is left out otherwise")
    func guest() throws {
        let life = try life(
            "{ after_up: [{ name: in, run: x, in: guest }], before_destroy: [{ name: out, run: x, in: guest }] }")
        _ = try life.machine("web").up(UpOptions())
        #expect(life.guests.done.last == "hook in")
        _ = try life.machine("web").halt(.force)
        life.guests.forget()
        _ = try life.machine("web").destroy()
        #expect(life.guests.done.isEmpty)
    }

    @Test("an after_ hook that a killed command has left undone is made good for, where the work cannot be done again")
    func unfinished() throws {
        let life = try life(Self.all)
        _ = try life.machine("web").up(UpOptions())
        let note = try life.project().layout.locks.appending("web.after-halt")
        // As after a kill between the effect and the hook; while the machine runs, it is none.
        try AtomicFile.write("\n", to: note)
        _ = try life.machine("web").up(UpOptions())
        #expect(log(life).last == "after_up" && FileSystem.isAbsent(note))
        _ = try life.machine("web").halt(.force)
        try AtomicFile.write("\n", to: note)
        _ = try life.machine("web").halt(.force)
        #expect(log(life).suffix(2) == ["after_halt", "after_halt"] && FileSystem.isAbsent(note))
        _ = try life.machine("web").destroy()
        #expect(try !life.machine("web").hasUnfinishedHooks)
        try AtomicFile.write("\n", to: life.project().layout.locks.appending("web.after-destroy"))
        #expect(try life.machine("web").hasUnfinishedHooks)
        _ = try life.machine("web").destroy()
        #expect(log(life).suffix(2) == ["after_destroy", "after_destroy"])
        #expect(try !life.machine("web").hasUnfinishedHooks)
    }

    @Test("the project's hooks run once, around what is done to all machines")
    func project() throws {
        let life = try life(
            "{}",
            top:
                "hooks: { before_up: [\"echo $WANDER_EVENT ${WANDER_MACHINE-none} >>log\"], after_up: [\"#!/usr/bin/env -S sh -e\\necho $0 >>log\"] }"
        )
        try life.project().hooked(.up) {
            #expect(log(life) == ["before_up none"])
            _ = try life.machine("web").up(UpOptions())
        }
        #expect(log(life).count == 2)
        struct Failed: Error {}
        #expect(throws: Failed.self) { try life.project().hooked(.up) { throw Failed() } }
        #expect(log(life).count == 3, "nothing comes after what failed")
    }
}

/// Keeps what it is told.
final class EventList: EventSink {
    private let events = Mutex<[Event]>([])
    private let body: @Sendable (Event) -> Void

    init(_ body: @escaping @Sendable (Event) -> Void = { _ in }) { self.body = body }

    func report(_ event: Event, about subject: String?) {
        events.withLock { $0.append(event) }
        body(event)
    }

    var warnings: [String] {
        events.withLock { events in events.compactMap { if case .warning(let text) = $0 { text } else { nil } } }
    }
}
