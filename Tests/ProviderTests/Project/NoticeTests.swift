import BoxFormat
import EnvFile
import LinuxSystem
import Reporting
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Provider

@Suite struct NoticeTests {
    private final class Sink: EventSink {
        let showsWarnings: Bool
        init(showsWarnings: Bool) { self.showsWarnings = showsWarnings }
        func report(_ event: Event, about subject: String?) {}
    }

    @Test("what is said once is not used up where nobody hears it")
    func once() throws {
        let folder = try TemporaryFolder()
        _ = try folder.file("Wanderfile", Array("box: a/b\n".utf8))
        let environment = try EnvironmentLoader(EnvironmentLoader.Options(workingDirectory: folder.path)).load()
        func isSaid(_ showsWarnings: Bool) throws -> Bool {
            let project = Project(
                environment, boxes: .init(root: folder("store")),
                settings: .init(command: "wander test", programs: folder.path),
                events: Sink(showsWarnings: showsWarnings),
                cancellation: try Cancellation())
            try project.layout.prepare()
            var said = false
            project.noticeOnce("emulation: no KVM") { said = true }
            return said
        }
        #expect(try !isSaid(false))
        #expect(try isSaid(true))
        #expect(try !isSaid(true))
    }
}
