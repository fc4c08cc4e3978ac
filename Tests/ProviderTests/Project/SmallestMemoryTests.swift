import BoxFormat
import LinuxSystem
import Reporting
import Synchronization
import TestSupport
import Testing

@testable import Provider

/// What a box says that it needs.
@Suite struct SmallestMemoryTests {
    private final class Warnings: EventSink {
        private let state = Mutex<[String]>([])
        var texts: [String] { state.withLock { $0 } }
        func report(_ event: Event, about subject: String?) {
            if case .warning(let text) = event { state.withLock { $0.append("\(subject ?? "-"): \(text)") } }
        }
    }

    @Test(
        "less memory than the image needs is told, and no more than that",
        arguments: [
            (UInt64(8) << 30, ["default: test/disk needs 8.0 GiB to start, and the Wanderfile gives 1.0 GiB"]),
            (1 << 30, []),
        ])
    func told(least: UInt64, expected: [String]) throws {
        let warnings = Warnings()
        let fixture = try MachineFixture(events: warnings)
        var options = BoxStore.AddOptions()
        options.name = try BoxName("test/disk")
        options.facts = ImageFacts()
        options.facts?.smallestMemory = least
        let disk = try fixture.folder.file("disk", [UInt8](repeating: 0, count: 510) + [0x55, 0xaa])
        _ = try fixture.store.add(disk, options)
        #expect(try fixture.project.resolveBox(fixture.definition).smallestMemory == least)
        #expect(warnings.texts == expected)
    }
}
