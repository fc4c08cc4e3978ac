import LinuxSystem
import NetworkControl
import Reporting
import SSH

/// What can be seen of a booting guest from outside: its console, its address, its SSH port.
final class BootWatch {
    /// How long ago a sign of life may be to count, in milliseconds: at least.
    private static let shortestMemory: Int64 = 10_000

    /// A console that has said nothing for so long is looked at, in milliseconds.
    private static let silence: Int64 = 3000

    private let machine: Machine
    private let label: String
    private let started = MonotonicClock.now
    /// A sign of life counts for so long, in milliseconds.
    private let memory: Int64
    private var stage: ReadyWait.Stage?
    private var hasLease = false
    private var consoleSize: Int64
    private var lastSign: MonotonicClock?
    private var lastLine = ""
    /// The console's size when it was last looked at for why the guest stands still.
    private var examinedSize: Int64?
    private var nextLook = MonotonicClock.now

    /// - Parameter limit: How long the boot may take, in milliseconds.
    init(_ machine: Machine, label: String, limit: Int64) {
        self.machine = machine
        self.label = label
        memory = max(Self.shortestMemory, limit / 4)
        consoleSize = Self.size(machine)
    }

    private static func size(_ machine: Machine) -> Int64 {
        (try? FileSystem.status(machine.folder.consoleLog))?.size ?? 0
    }

    /// Whether the guest has said something on its console lately, or got its address.
    var isAlive: Bool {
        look()
        return lastSign.map { MonotonicClock.now.milliseconds(since: $0) <= memory } ?? false
    }

    /// Says what is new: a line for each stage, and the console's last line beside the time that has passed.
    /// - Throws: ``SSHError/notReady(reached:last:milliseconds:)`` once the guest waits for somebody at its console.
    func turn() throws(SSHError) {
        guard MonotonicClock.now >= nextLook else { return }
        nextLook = MonotonicClock.now.advanced(byMilliseconds: 1000)
        look()
        let elapsed = MonotonicClock.now.milliseconds(since: started)
        if isStuck { throw .notReady(reached: .connection, last: nil, milliseconds: elapsed) }
        let seconds = elapsed / 1000
        guard seconds > 0 else { return }
        var detail = stage.map(words) ?? "the guest boots"
        if !lastLine.isEmpty { detail += ": \(lastLine)" }
        machine.report(.progress(Progress(label, completed: UInt64(seconds), unit: .seconds, detail: detail)))
    }

    /// Whether the console has ended for a while with what nothing follows by itself.
    private var isStuck: Bool {
        guard let lastSign, MonotonicClock.now.milliseconds(since: lastSign) >= Self.silence,
            examinedSize != consoleSize
        else { return false }
        examinedSize = consoleSize
        return StuckBoot(machine) != nil
    }

    func enter(_ next: ReadyWait.Stage) {
        stage = next
        if next != .ready { machine.report(.output(words(next))) }
    }

    private func words(_ stage: ReadyWait.Stage) -> String {
        switch stage {
        case .waitingForPort:
            hasLease ? "the guest boots: it has its address, its SSH port is closed" : "the guest boots"
        case .waitingForBanner: "the SSH port is open, the server has not greeted yet"
        case .greeted(let banner): "greeted by \(GuestText.line(banner.utf8))"
        case .loginRefused: "the guest refuses logins still"
        case .ready: "ready"
        }
    }

    private func look() {
        let size = Self.size(machine)
        if size != consoleSize {
            lastSign = .now
            let lines = LogTail.lines(machine.folder.consoleLog, count: 3).split(separator: "\n")
            lastLine = lines.last { !$0.allSatisfy(\.isWhitespace) }.map { String($0.prefix(200)) } ?? ""
        }
        consoleSize = size
        guard !hasLease, stage == nil || stage == .waitingForPort else { return }
        hasLease = (try? NetworkPlace(machine: machine).status())?.leased == true
        if hasLease {
            lastSign = .now
            if stage == .waitingForPort { enter(.waitingForPort) }
        }
    }
}

extension Machine {
    /// Whether the guest has shown any sign of life since the machine was made: on its console, or by asking for an
    /// address.
    func hasShownLife() -> Bool {
        if !LogTail.lines(folder.consoleLog, count: 1).isEmpty { return true }
        return (try? NetworkPlace(machine: self).status())?.leased == true
    }
}
