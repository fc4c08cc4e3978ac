import JSON
import Testing

@testable import Provider

@Suite struct DefinitionChangesTests {
    @Test("tells what a reload applies, what takes a new machine, and what is read at each use")
    func kinds() {
        let changes = DefinitionChanges(
            from: ["box": "debian/12", "cpus": 2, "message": "a", "memory": 1024],
            to: ["box": "debian/13", "cpus": 4, "message": "b", "memory": 1024, "ports": ["80"]])
        #expect(changes.needingDestroy == ["box: debian/12 -> debian/13"])
        #expect(changes.needingRestart == ["cpus: 2 -> 4", "ports: none -> [\"80\"]"])
        #expect(changes.immediate == ["message: a -> b"])
    }

    @Test("shares are shown as a Wanderfile has them, and an empty list is as good as none")
    func shares() {
        let share: JSONValue = ["host": ".", "guest": "/project", "mode": "ro", "create": false]
        #expect(
            DefinitionChanges(from: ["shares": []], to: ["shares": [share]]).needingRestart
                == ["shares: none -> .:/project:ro"])
        #expect(DefinitionChanges(from: [:], to: ["shares": []]).needingRestart.isEmpty)
    }

    @Test("a machine that was never started has nothing to take over")
    func neverStarted() {
        #expect(DefinitionChanges(from: nil, to: ["cpus": 2]) == DefinitionChanges(from: ["cpus": 2], to: ["cpus": 2]))
    }
}
