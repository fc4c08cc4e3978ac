import CloudInit
import JSON
import Provisioning
import Reporting
import SSH
import Testing

@testable import Provider

/// What is said and written down of cloud-init's work.
@Suite struct CloudInitJobTests {
    /// - Returns: The warnings, and whether the machine need not be asked again.
    private func conclusion(_ outcome: CloudInitOutcome, secrets: [String] = []) throws -> ([String], Bool) {
        let events = WarningLog()
        let life = try LifeFixture("cloud_init: { content: \"#!/bin/sh\\n\" }", cloudInit: true)
        life.guests.fail("cloud-init")
        _ = try? life.machine().up(UpOptions())
        let machine = try life.project(events: events).machine(named: "default")
        let journal = machine.journal(try life.record())
        let job = CloudInitJob(machine, journal, try #require(machine.definition))
        #expect(job.isNeeded)
        events.warnings = []
        do { try job.conclude(outcome, Masker(secrets)) } catch {
            #expect(job.isNeeded)
            throw error
        }
        return (events.warnings, !job.isNeeded)
    }

    @Test("what is done is done, and what is not as it should be is a warning")
    func warnings() throws {
        #expect(try conclusion(.done) == ([], true))
        for (outcome, word) in [
            (CloudInitOutcome.absent, "no cloud-init, so that 'cloud_init' has no effect"),
            (.unstarted, "did nothing"), (.unclear("odd"), "not known: odd"),
            (.degraded(["one", "two"]), "\n  one\n  two"),
        ] {
            let (warnings, isDone) = try conclusion(outcome)
            #expect(warnings.count == 1 && warnings[0].contains(word) && isDone, "\(warnings)")
        }
    }

    @Test("a failure is as a failed step's: with exit status, log and what to do, and nothing secret")
    func failure() throws {
        let outcome = CloudInitOutcome.failed(status: 1, errors: ["it said hunter2222"], log: ["last line"])
        #expect {
            _ = try conclusion(outcome, secrets: ["hunter2222"])
        } throws: { error in
            guard let error = error as? CloudInitError else { return false }
            let detail = error.detail ?? ""
            return error.kind == .provisioningFailed && error.summary.contains("exit status 1")
                && detail.contains("last line") && detail.contains("it said ") && !detail.contains("hunter2222")
                && error.remedy?.contains("wander destroy default && wander up default") == true
        }
    }

    @Test("a login that is refused is a seed that nobody took, or a key that is not the box's")
    func refused() throws {
        let life = try LifeFixture(cloudInit: true)
        _ = try life.machine().up(UpOptions())
        let record = try life.record()
        let refusal = SSHError.authenticationRefused(user: "debian", tried: [], offered: [])
        let explained = BootDiagnosis(try life.machine(), record).explain(refusal)
        let error = try #require(explained as? ProviderError)
        #expect(error.summary.contains("nothing in the guest has taken it") && error.kind == .timeout)
        #expect(error.remedy?.contains("NoCloud") == true)
        let late = BootDiagnosis(try life.machine(), record).explain(
            .notReady(reached: .authentication, last: refusal, milliseconds: 1000))
        #expect((late as? ProviderError)?.summary.contains("nothing in the guest has taken it") == true)
        let other = BootDiagnosis(try life.machine(), try record.with(["seed": .null])).explain(refusal)
        #expect(other as? SSHError == refusal)
    }
}
