import EnvFile
import LinuxSystem
public import Reporting
import Synchronization

/// Runs an action for several machines in parallel.
public enum Schedule {
    /// The result of each machine, in the order of `machines`.
    public typealias Results<Outcome> = [(machine: Machine, result: Result<Outcome, any Error>)]

    /// - Parameter order: Which of the machines must have succeeded before one begins.
    public static func run<Outcome: Sendable>(
        _ machines: [Machine], limit: Int = 8, after order: (Machine) -> Set<String> = { _ in [] },
        _ action: @escaping @Sendable (Machine) throws -> Outcome
    ) throws -> Results<Outcome> {
        // One machine needs no thread, and its errors keep their order with its output.
        if machines.count == 1 { return [(machines[0], Result { try action(machines[0]) })] }
        let names = Set(machines.map(\.name))
        let board = Board<Outcome>(waitsFor: machines.map { order($0).intersection(names) })
        let all = machines
        try Thread.forEach(Array(machines.indices), limit: max(limit, 1), name: "machine") { _ in
            guard let index = board.next(all.map(\.name)) else { return }
            board.finish(index, named: all[index].name, Result { try action(all[index]) })
        }
        return zip(machines, board.results()).map { machine, result in
            (machine, result ?? .failure(SkippedMachine(machine: machine.name, culprit: nil)))
        }
    }
}

/// A machine that was left out because one that it depends on failed.
public struct SkippedMachine: UserFacingError, Hashable {
    public let machine: String
    /// The machine whose failure caused this, directly or through others; nil if it is not known.
    public let culprit: String?
    public var summary: String {
        "\(machine) was not begun, since \(culprit ?? "a machine that it depends on") failed"
    }
}

/// Which machines wait, run and are done. Threads take what may begin.
private final class Board<Outcome: Sendable>: Sendable {
    private struct State {
        var waitsFor: [Set<String>]
        var begun: Set<Int> = []
        var results: [Int: Result<Outcome, any Error>] = [:]
        /// Those that failed, by themselves or because another did: and which that is.
        var failed: [String: String] = [:]
    }
    private let state: Mutex<State>
    private let changed: Condition

    init(waitsFor: [Set<String>]) {
        state = Mutex(State(waitsFor: waitsFor))
        changed = Condition()
    }

    /// The next machine that may begin; waits for one. nil when none is left that could.
    func next(_ names: [String]) -> Int? {
        while true {
            let seen = changed.generation
            let (index, isOver) = state.withLock { state -> (Int?, Bool) in
                let open = state.waitsFor.indices.filter { !state.begun.contains($0) }
                for index in open where state.waitsFor[index].isEmpty {
                    state.begun.insert(index)
                    return (index, false)
                }
                for index in open where !state.waitsFor[index].isDisjoint(with: state.failed.keys) {
                    state.begun.insert(index)
                    let culprit = state.waitsFor[index].intersection(state.failed.keys).min()
                        .map { state.failed[$0] ?? $0 }
                    state.results[index] = .failure(SkippedMachine(machine: names[index], culprit: culprit))
                    state.failed[names[index]] = culprit ?? names[index]
                    return (nil, true)
                }
                return (nil, open.isEmpty)
            }
            if index != nil || isOver {
                changed.signal()
                return index
            }
            changed.wait(since: seen)
        }
    }

    func finish(_ index: Int, named name: String, _ result: Result<Outcome, any Error>) {
        state.withLock { state in
            state.results[index] = result
            if case .failure = result {
                state.failed[name] = name
            } else {
                for other in state.waitsFor.indices { state.waitsFor[other].remove(name) }
            }
        }
        changed.signal()
    }

    func results() -> [Result<Outcome, any Error>?] {
        state.withLock { state in state.waitsFor.indices.map { state.results[$0] } }
    }
}
