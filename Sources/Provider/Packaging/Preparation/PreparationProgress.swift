import LinuxSystem
import Reporting
import SystemPackage

/// The progress of a guest that works on a copy of a machine's disk, from what its script prints on the console.
struct PreparationProgress {
    private let machine: Machine
    private let console: FilePath
    private let label: String
    var started = MonotonicClock.now
    private var told: [String] = []

    init(machine: Machine, console: FilePath, label: String) {
        self.machine = machine
        self.console = console
        self.label = label
    }

    /// Says what is new: a line for each stage, and the time that has passed. Nothing in the first second.
    mutating func look() {
        let seconds = MonotonicClock.now.milliseconds(since: started) / 1000
        guard seconds > 0 else { return }
        if told.isEmpty { tell("a guest starts on the copy") }
        let said = LogTail.lines(console, count: 100)
        for stage in PreparationScript.Stage.allCases where said.contains(stage.line) { tell(stage.rawValue) }
        machine.report(.progress(Progress(label, completed: UInt64(seconds), unit: .seconds, detail: told.last)))
    }

    private mutating func tell(_ words: String) {
        guard !told.contains(words) else { return }
        told.append(words)
        machine.report(.output(words))
    }
}
