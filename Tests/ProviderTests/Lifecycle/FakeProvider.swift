import JSON
import LinuxSystem
import Synchronization
import SystemPackage

@testable import Provider

/// Runs machines that are a sleeping process each, which holds the machine's lock as a monitor does.
final class FakeProvider: MachineProvider {
    struct State {
        /// What the next start fails with.
        var failure: ProviderError?
        fileprivate var children: [Sleeper] = []
        var isPaused = false
        /// Whether the host's disk is full for a guest that writes.
        var isFull = false
        /// Whether its guests end when their power button is pressed.
        var heedsButton = true
        var presses = 0
        var plans: [LaunchPlan] = []
    }
    let kind = ProviderKind.emulation
    let state = Mutex(State())

    func start(
        _ plan: LaunchPlan, lock: borrowing OwnedDescriptor, cancellation: Cancellation
    ) throws -> MachineRecord.ProcessIdentity {
        if let failure = state.withLock({ $0.failure }) { throw failure }
        var options = ChildProcess.Options()
        options.extraDescriptors = [lock.rawValue]
        let sleeper = Sleeper(try ChildProcess.start(["sleep", "600"], options))
        state.withLock {
            $0.children.append(sleeper)
            $0.plans.append(plan)
            $0.isPaused = false
        }
        guard let identity = MachineRecord.ProcessIdentity.of(sleeper.process.identifier) else {
            throw ProviderError.startFailed(machine: plan.name, log: "")
        }
        return identity
    }

    func control(_ folder: MachineFolder) throws -> any MachineControl { FakeControl(self) }
    func attachConsole(_ folder: MachineFolder, serial: Bool) throws -> OwnedDescriptor {
        throw ProviderError.notRunning(machine: folder.name, state: "fake")
    }
    func resizeConsole(_ folder: MachineFolder, to size: TerminalSize) {}

    /// Ends the last machine's process, as a crash does, and returns when it has ended.
    func crash() {
        guard let sleeper = state.withLock({ $0.children.popLast() }) else { return }
        sleeper.process.signal(9)
        _ = try? sleeper.process.wait(milliseconds: 10_000)
    }

    deinit { while state.withLock({ !$0.children.isEmpty }) { crash() } }
}

/// The process of one of them.
private final class Sleeper: Sendable {
    let process: ChildProcess
    init(_ process: consuming ChildProcess) { self.process = process }
}

/// One of them, as a command reaches it.
private final class FakeControl: MachineControl {
    private let provider: FakeProvider

    init(_ provider: FakeProvider) { self.provider = provider }

    var isPaused: Bool { provider.state.withLock { $0.isPaused || $0.isFull } }
    var waitsForRoom: Bool { provider.state.withLock { $0.isFull } }
    var usage: MachineUsage { MachineUsage(blockStatistics: .null) }
    var lostShares: [Int] { [] }
    func pressPowerButton() {
        provider.state.withLock { $0.presses += 1 }
        if provider.state.withLock({ $0.heedsButton }) { provider.crash() }
    }
    func stop() { provider.crash() }
    func pause() { provider.state.withLock { $0.isPaused = true } }
    func resume() { provider.state.withLock { $0.isPaused = false } }
    func reset() {}
}
