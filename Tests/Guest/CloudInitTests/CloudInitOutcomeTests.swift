import Testing

@testable import CloudInit

/// What guests say, as versions 22.4 and 25.1 of cloud-init do, and as hostile ones might.
@Suite struct CloudInitOutcomeTests {
    private func outcome(_ text: String) -> CloudInitOutcome { CloudInitOutcome(Array(text.utf8)) }

    @Test("a guest without cloud-init, or with one that did nothing, is told from others")
    func nothing() {
        #expect(outcome("absent\n") == .absent)
        #expect(outcome("unstarted\n") == .unstarted)
        #expect(outcome("exit 0\nstatus {\"status\": \"disabled\"}\n") == .unstarted)
        #expect(outcome("exit 0\nstatus {\nstatus   \"status\": \"not started\"\nstatus }\n") == .unstarted)
    }

    @Test("what is done is done, with or without warnings")
    func done() {
        #expect(outcome("exit 0\nstatus {\"errors\": [], \"status\": \"done\"}\n") == .done)
        let warnings = #"{"WARNING": ["first", "second"], "DEPRECATED": ["third"]}"#
        #expect(
            outcome("exit 2\nstatus {\"status\": \"done\", \"recoverable_errors\": \(warnings)}\nlog x\n")
                == .degraded(["first", "second", "third"]))
        #expect(outcome("exit 0\nstatus status: done\nstatus detail:\nstatus DataSourceNoCloud\n") == .done)
    }

    @Test("a failure has its exit status, its errors and the log")
    func failed() {
        #expect(
            outcome("exit 1\nstatus {\"status\": \"error\", \"errors\": [\"a\", \"b\"]}\nlog one\nlog  two\n")
                == .failed(status: 1, errors: ["a", "b"], log: ["one", " two"]))
        #expect(
            outcome("exit 1\nstatus status: error\nstatus detail:\nstatus ('scripts_user', 'x')\n")
                == .failed(status: 1, errors: ["('scripts_user', 'x')"], log: []))
    }

    @Test(
        "what is not understood is not taken for success",
        arguments: [
            "", "exit\n", "exit x\nstatus {\"status\": \"done\"}\n", "exit 0\n", "exit 0\nstatus {\"status\": 7}\n",
            "exit 0\nstatus {\"status\": \"running\"}\n", "exit 0\nstatus [\n", "done\n",
        ])
    func unclear(_ said: String) {
        guard case .unclear = outcome(said) else {
            Issue.record("\(outcome(said))")
            return
        }
    }

    @Test("words of a guest are bounded and command no terminal")
    func hostile() {
        let long = String(repeating: "x", count: 5000)
        let many = Array(repeating: "\"\(long)\"", count: 100).joined(separator: ",")
        guard
            case .failed(_, let errors, let log) = outcome(
                "exit 1\nstatus {\"status\": \"error\", \"errors\": [\(many)]}\nlog a\u{1b}[31mb\u{7}\nlog \(long)\n")
        else {
            Issue.record("not a failure")
            return
        }
        #expect(errors.count == 20 && errors.allSatisfy { $0.count == 1000 })
        #expect(log.first == "ab" && log.last?.count == 1000)
    }
}
