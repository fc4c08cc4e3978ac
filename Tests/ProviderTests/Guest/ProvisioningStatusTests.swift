import JSON
import Provisioning
import Testing

@testable import Provider

@Suite struct ProvisioningStatusTests {
    private let records = [
        StepRecord(name: "one", hash: "", state: .succeeded, started: 100, finished: 110, exitStatus: 0),
        StepRecord(name: "two", hash: "", state: .running, started: 120),
    ]

    @Test("a step that runs is told from one that was cut off by whether the command that began it still works")
    func running() {
        let names = ["one", "two", "three"]
        let busy = ProvisioningStatus(names: names, records: records, busySince: 110)
        #expect(busy.steps.map(\.state) == [.succeeded, .running, .pending])
        #expect(busy.summary(now: 165) == "provisioned 1/3, two is running for 45 s")
        #expect(busy.json["running"] == "two")
        #expect(busy.json["steps"]?.arrayValue?[1]["started"] == "1970-01-01T00:02:00Z")
        let idle = ProvisioningStatus(names: names, records: records, busySince: nil)
        #expect(idle.summary(now: 165) == "provisioned 1/3, cut off: two")
        #expect(idle.json["running"] == .null)
        let later = ProvisioningStatus(names: names, records: records, busySince: 121)
        #expect(later.summary(now: 165) == "provisioned 1/3, cut off: two")
    }

    @Test(
        "steps that failed are named, those that the Wanderfile has no more are counted, and nothing is said of nothing"
    )
    func others() {
        let failed = StepRecord(name: "old", hash: "", state: .failed, started: 1, finished: 2, exitStatus: 7)
        let status = ProvisioningStatus(names: ["one"], records: [records[0], failed], busySince: nil)
        #expect(status.summary(now: 0) == "provisioned 1/2, failed: old")
        #expect(status.json["steps"]?.arrayValue?[1]["exit_status"] == 7)
        #expect(ProvisioningStatus(names: ["one"], records: [], busySince: 0).summary(now: 0) == nil)
    }
}
