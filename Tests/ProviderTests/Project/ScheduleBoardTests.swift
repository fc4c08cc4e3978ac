import LinuxSystem
import Reporting
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import BoxFormat
@testable import EnvFile
@testable import Provider

@Suite struct ScheduleTests {
    private func project(_ folder: FilePath, _ text: String) throws -> Project {
        try AtomicFile.write(text, to: folder.appending("Wanderfile"))
        let environment = try EnvironmentLoader(.init(workingDirectory: folder)).load()
        return Project(
            environment, boxes: BoxStore(root: folder.appending("store")),
            settings: .init(command: "test", programs: folder), events: SilentSink(), cancellation: try Cancellation())
    }

    static let file = """
        defaults: { box: debian/12 }
        machines:
          web: { depends_on: [db] }
          db: {}
          cache: {}
          proxy: { depends_on: [web] }
        """

    @Test("machines begin after those that they depend on have succeeded")
    func order() throws {
        let folder = try TemporaryFolder()
        let project = try project(folder.path, Self.file)
        let log = Mutex<[String]>([])
        let results = try Schedule.run(
            project.machines, after: \.dependencies
        ) { machine in log.withLock { $0.append(machine.name) } }
        let order = log.withLock { $0 }
        #expect(order.sorted() == ["cache", "db", "proxy", "web"])
        #expect(order.firstIndex(of: "db") ?? 9 < order.firstIndex(of: "web") ?? -1)
        #expect(order.firstIndex(of: "web") ?? 9 < order.firstIndex(of: "proxy") ?? -1)
        #expect(results.map(\.machine.name) == ["web", "db", "cache", "proxy"])
    }

    @Test("what depends on a failed machine is not begun, the others are")
    func failure() throws {
        struct Broken: Error {}
        let folder = try TemporaryFolder()
        let project = try project(folder.path, Self.file)
        let results = try Schedule.run(
            project.machines, after: \.dependencies
        ) { machine throws in if machine.name == "db" { throw Broken() } }
        var outcomes: [String: String] = [:]
        var culprits: Set<String?> = []
        for (machine, result) in results {
            switch result {
            case .success: outcomes[machine.name] = "done"
            case .failure(let error):
                outcomes[machine.name] = error is SkippedMachine ? "skipped" : "failed"
                if let error = error as? SkippedMachine { culprits.insert(error.culprit) }
            }
        }
        // Also for the one that waits for a machine that was not begun.
        #expect(culprits == ["db"])
        #expect(outcomes == ["db": "failed", "web": "skipped", "proxy": "skipped", "cache": "done"])
    }

    @Test("names, groups and patterns choose machines; a mistyped name gets a suggestion")
    func choosing() throws {
        let folder = try TemporaryFolder()
        let project = try project(folder.path, Self.file)
        #expect(try project.machines(named: []).count == 4)
        #expect(try project.machines(named: ["?b", "c*"]).map(\.name) == ["db", "cache"])
        #expect {
            try project.machines(named: ["wbe"])
        } throws: { error in
            guard case ProviderError.noSuchMachine("wbe", let suggestion) = error else { return false }
            return suggestion == "web"
        }
        #expect(project.dependents(of: try project.machine(named: "db")) == ["web"])
    }
}
