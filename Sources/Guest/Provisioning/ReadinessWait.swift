import LinuxSystem
public import SSH

/// Asks a machine's ready probes until all of them have passed. They take turns, so that a slow one does not use up the
/// time of the others.
public struct ReadinessWait {
    private let session: SSHSession
    private let masker: Masker
    private let report: (ProvisioningEvent) -> Void
    /// Connects for `tcp`; nil: asks from within the machine.
    public var connect: ((UInt16) throws(SSHError) -> Bool)?
    /// How long one question may take, in milliseconds.
    public var questionLimit: Int64 = 10_000

    public init(over session: SSHSession, masking masker: Masker = .none, report: @escaping (ProvisioningEvent) -> Void)
    {
        self.session = session
        self.masker = masker
        self.report = report
    }

    private struct Pending {
        let probe: ReadinessProbe
        let deadline: MonotonicClock
        var next: MonotonicClock
        var lastMessage = ""
    }

    /// - Throws: ``ProvisioningError/notReady(probe:milliseconds:lastMessage:hint:)`` for the first probe whose time
    ///   has run out.
    public func run(_ probes: [ReadinessProbe]) throws(ProvisioningError) {
        for probe in probes {
            if case .http(let url) = probe.check, HTTPAddress(url) == nil {
                throw .invalidURL(probe: probe.name, url: url)
            }
        }
        let start = MonotonicClock.now
        var pending = probes.map {
            Pending(probe: $0, deadline: start.advanced(byMilliseconds: $0.timeout.milliseconds), next: start)
        }
        while let index = pending.indices.min(by: { pending[$0].next < pending[$1].next }) {
            let probe = pending[index].probe
            let wait = pending[index].next.milliseconds(since: .now)
            if wait > 0 { try sleep(wait) }
            // At least once, however short the time.
            let left = max(1000, pending[index].deadline.milliseconds(since: .now))
            let asked = MonotonicClock.now
            let message: String?
            do throws(SSHError) {
                message = try ask(probe, milliseconds: min(questionLimit, left))
            } catch { throw .broken(error) }
            guard let message else {
                report(.ready(probe: probe.name))
                pending.remove(at: index)
                continue
            }
            let shown = masker.mask(message)
            if shown != pending[index].lastMessage { report(.probe(name: probe.name, message: shown)) }
            pending[index].lastMessage = shown
            pending[index].next = Self.next(probe, asked: asked, deadline: pending[index].deadline)
            // No further question would end in time.
            if pending[index].next >= pending[index].deadline {
                throw .notReady(
                    probe: probe.name, milliseconds: probe.timeout.milliseconds, lastMessage: shown, hint: probe.hint)
            }
        }
    }

    /// When a probe is asked again: never more often than its interval says. A guest that takes long to answer gets as
    /// long to itself, unless there would be no time left for another question then.
    private static func next(
        _ probe: ReadinessProbe, asked: MonotonicClock, deadline: MonotonicClock
    ) -> MonotonicClock {
        let now = MonotonicClock.now
        let rest = min(now.milliseconds(since: asked), deadline.milliseconds(since: now) / 2)
        return now.advanced(byMilliseconds: max(50, probe.interval.milliseconds, rest))
    }

    private func sleep(_ milliseconds: Int64) throws(ProvisioningError) {
        do throws(SSHError) { try session.pause(milliseconds: milliseconds) } catch { throw .broken(error) }
    }

    /// - Returns: nil if the answer is good, what is wrong with it otherwise.
    private func ask(_ probe: ReadinessProbe, milliseconds: Int64) throws(SSHError) -> String? {
        switch probe.check {
        case .tcp(let port):
            guard let accepts = try answer({ () throws(SSHError) in try ask(port, milliseconds) }) else {
                return "no answer within \(milliseconds) ms"
            }
            return accepts ? nil : "nothing accepts connections on port \(port)"
        case .file(let path):
            var script = ShellScript("[ -e \"$1\" ]", [path], as: "root")
            script.milliseconds = milliseconds
            let limited = script
            let outcome = try answer { () throws(SSHError) in try session.run(limited) }
            guard let outcome else { return "no answer within \(milliseconds) ms" }
            return outcome.isSuccess ? nil : "\(path) does not exist"
        case .run(let command): return try run(Array(command.utf8), probe.environment, milliseconds)
        case .http(let url):
            guard let address = HTTPAddress(url) else { return "'\(url)' is no address" }
            return address.isEncrypted ? try askInside(url, milliseconds) : try ask(url, address, milliseconds)
        }
    }

    /// - Returns: nil if the guest did not answer in time, though it is there: its shell or its sudo may hang.
    private func answer<Answer>(_ question: () throws(SSHError) -> Answer) throws(SSHError) -> Answer? {
        do { return try question() } catch {
            guard case .timedOut(.channel, _) = error else { throw error }
            return nil
        }
    }

    private func ask(_ port: UInt16, _ milliseconds: Int64) throws(SSHError) -> Bool {
        if let connect { return try connect(port) }
        do {
            return try session.accepts(port: port)
        } catch {
            guard case .forwardingRefused = error else { throw error }
            // proc(5): the local address, the remote one, and 0A for a socket that listens.
            let script = "cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -qi \":$1 [0-9A-F]*:0000 0A \""
            let digits = String(port, radix: 16, uppercase: true)
            let padded = String(repeating: "0", count: 4 - digits.count) + digits
            var search = ShellScript(script, [padded])
            search.milliseconds = milliseconds
            return try session.run(search).isSuccess
        }
    }

    private func run(
        _ script: [UInt8], _ environment: [String: String], _ milliseconds: Int64
    ) throws(SSHError) -> String? {
        var lines = OutputLines(masker)
        var last = ""
        let guest = GuestScript(script: script, environment: environment, user: "root", milliseconds: milliseconds)
        let status: Int32
        do {
            status = try guest.run(over: session) { _, bytes in
                if let line = lines.add(bytes).last(where: { !$0.isEmpty }) { last = line }
            }
        } catch {
            guard case .timedOut(.channel, _) = error else { throw error }
            return "no answer within \(milliseconds) ms"
        }
        if let line = lines.finish(), !line.isEmpty { last = line }
        guard status != 0 else { return nil }
        return "exit status \(status)" + (last.isEmpty ? "" : ": \(last.prefix(300))")
    }

    private func ask(_ url: String, _ address: HTTPAddress, _ milliseconds: Int64) throws(SSHError) -> String? {
        let answer: [UInt8]
        do {
            answer = try session.exchange(
                address.request, host: address.host, port: address.port, limit: 256, milliseconds: milliseconds)
        } catch {
            switch error {
            case .channelRefused: return "nothing accepts connections at \(address.host):\(address.port)"
            case .forwardingRefused: return try askInside(url, milliseconds)
            case .timedOut(.channel, _): return "no answer within \(milliseconds) ms"
            default: throw error
            }
        }
        guard let status = HTTPAddress.status(of: answer) else { return "what answers does not speak HTTP" }
        return (200..<400).contains(status) ? nil : "HTTP status \(status)"
    }

    /// By the guest's own programs, which also speak TLS.
    private func askInside(_ url: String, _ milliseconds: Int64) throws(SSHError) -> String? {
        try run(PackageResources.probe_address_sh, ["URL": url], milliseconds)
    }
}
