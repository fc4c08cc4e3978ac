internal import CLinux
internal import LinuxSystem
internal import Reporting
internal import SystemPackage

/// One run of curl.
struct Transfer {
    enum Outcome: Equatable {
        /// - Parameter modified: When the file was changed last, in seconds since 1970.
        case complete(modified: Int64?)
        /// The part that is there does not belong to what the server has now.
        case changed
        /// Worth another attempt. `received` counts what this one brought, in bytes.
        case broken(String, received: UInt64)
    }

    var url: String
    var location: BoxLocation
    var options: Downloader.Options
    var partPath: FilePath
    var notePath: FilePath
    /// Bytes that are there already.
    var start: UInt64
    var validator: String?
    var sizeLimit: UInt64
    /// In seconds.
    var patience: Int
    var label: String
    var sink: any EventSink
    var cancellation: Cancellation?

    /// curl's exit codes (curl(1), "EXIT CODES") after which the same request may succeed.
    private static let transient: Set<Int32> = [5, 6, 7, 16, 18, 28, 35, 52, 55, 56, 92]

    func run() throws -> Outcome {
        guard let program = findExecutable("curl") else { throw BoxSourceError.downloaderMissing }
        let headers = FilePath("\(partPath).headers")
        defer { try? FileSystem.remove(headers) }
        try FileSystem.remove(headers)
        let bodyEnds = try Self.makePipe()
        let bodyEnd = OwnedDescriptor(owning: bodyEnds.read)
        let bodyWrite = OwnedDescriptor(owning: bodyEnds.write)
        let problemEnds = try Self.makePipe()
        let problemsEnd = OwnedDescriptor(owning: problemEnds.read)
        let problemsWrite = OwnedDescriptor(owning: problemEnds.write)
        let configurationEnds = try Self.makePipe()
        let configurationRead = OwnedDescriptor(owning: configurationEnds.read)
        let configurationEnd = OwnedDescriptor(owning: configurationEnds.write)
        var child = ChildProcess.Options()
        child.input = .descriptor(configurationRead.rawValue)
        child.output = .descriptor(bodyWrite.rawValue)
        child.error = .descriptor(problemsWrite.rawValue)
        let process = try ChildProcess.start([program, "-q", "--config", "-"], child)
        bodyWrite.close()
        problemsWrite.close()
        configurationRead.close()
        var isDone = false
        defer {
            if !isDone {
                process.signal(SIGTERM)
                _ = try? process.wait()
            }
        }
        // By a pipe, so that no URL with a password shows up in ps(1).
        try configurationEnd.writeAll(self.configuration(headers: headers))
        configurationEnd.close()
        let received = try receive(bodyEnd, headers: headers)
        let complaint = String(decoding: (try? problemsEnd.readAll(limit: 1 << 16)) ?? [], as: UTF8.self)
        let outcome = try process.wait() ?? .exited(-1)
        isDone = true
        let response = HTTPResponse(headers: (try? FileSystem.read(headers, limit: 1 << 20)) ?? [])
        return try judge(outcome, response: response, complaint: complaint, received: received)
    }

    private static func makePipe() throws(SystemError) -> (read: CInt, write: CInt) {
        var ends: [CInt] = [-1, -1]
        let result = unsafe linux_pipe2(&ends, O_CLOEXEC)
        guard result == 0 else { throw SystemError("make a pipe", nil, Errno(rawValue: CInt(-result))) }
        return (ends[0], ends[1])
    }

    private func receive(_ body: borrowing OwnedDescriptor, headers: FilePath) throws -> UInt64 {
        var file: OwnedDescriptor?
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
        defer { unsafe buffer.deallocate() }
        var received: UInt64 = 0
        var total: UInt64?
        var heard = MonotonicClock.now
        while true {
            try cancellation?.check()
            // Short waits, so that Ctrl-C works while a server is silent.
            guard try waitUntilReady(body.rawValue, for: .readable, milliseconds: 500, cancellation: cancellation)
            else {
                reportSilence(since: heard, completed: start + received, total: total)
                continue
            }
            heard = .now
            let count = try unsafe body.read(into: buffer)
            if count == 0 { return received }
            if received == 0 {
                // curl writes the headers before the first byte of the body.
                let response = HTTPResponse(headers: (try? FileSystem.read(headers, limit: 1 << 20)) ?? [])
                total = response.total(start: start)
                guard start == 0 || response.status == 206 else { continue }
                try Downloader.Part(validator: response.validator, total: total).write(notePath)
            }
            received += UInt64(count)
            guard start + received <= sizeLimit else {
                throw BoxSourceError.tooLarge(url: location.shown, limit: ByteCount(sizeLimit))
            }
            do throws(SystemError) {
                // Where nothing comes, nothing is left behind.
                if file == nil {
                    file = try OwnedDescriptor.open(
                        partPath, [.writeOnly, .create, .append, .noFollow], permissions: 0o600)
                }
                try unsafe file?.writeAll(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]))
            } catch { throw SystemError("write", partPath, error.errno) }
            sink.report(.progress(Progress(label, completed: start + received, total: total)))
        }
    }

    private func reportSilence(since heard: MonotonicClock, completed: UInt64, total: UInt64?) {
        let seconds = MonotonicClock.now.milliseconds(since: heard) / 1000
        guard seconds >= 3 else { return }
        let detail = "the server is silent for \(seconds) s; given up after \(patience) s"
        sink.report(.progress(Progress(label, completed: completed, total: total, detail: detail)))
    }

    /// Whether the reason is that nothing came.
    func hasStalled(_ reason: String) -> Bool { reason.contains("too slow") || reason.contains("timed out") }

    private func judge(
        _ outcome: ChildProcess.Outcome, response: HTTPResponse, complaint: String, received: UInt64
    ) throws -> Outcome {
        if outcome.isSuccess {
            // An empty file never came through the pipe.
            if let total = response.total(start: start), total != start + received {
                return .broken("it ended too early", received: received)
            }
            return .complete(modified: response.modified)
        }
        let rangeRefused: Int32 = 33
        if start > 0, outcome == .exited(rangeRefused) || response.status == 416 || response.status == 200 {
            return .changed
        }
        let pageNotRetrieved: Int32 = 22
        if outcome == .exited(pageNotRetrieved), let status = response.status {
            if status >= 500 || status == 429 { return .broken("the server answered \(status)", received: 0) }
            throw BoxSourceError.httpStatus(url: location.shown, status: status)
        }
        let reason = Self.reason(complaint)
        if case .exited(let code) = outcome, Self.transient.contains(code), received > 0 || start > 0 {
            return .broken(reason, received: received)
        }
        throw BoxSourceError.downloadFailed(url: location.shown, reason: reason)
    }

    /// curl's own sentence without its prefix, `curl: (6) `.
    private static func reason(_ complaint: String) -> String {
        let line = complaint.split(whereSeparator: \.isNewline).last.map(String.init) ?? "curl failed"
        guard line.hasPrefix("curl: ("), let end = line.firstIndex(of: ")") else { return line.utf8.shown }
        return String(line[line.index(after: end)...]).trimmed.utf8.shown
    }

    /// curl's configuration file (curl(1), `--config`).
    func configuration(headers: FilePath) -> String {
        var lines: [String] = []
        func flag(_ name: String) { lines.append(name) }
        func set(_ name: String, _ value: String) {
            let escaped = value.flatMap { $0 == "\\" || $0 == "\"" ? ["\\", $0] : [$0] }
            lines.append("\(name) = \"\(String(escaped))\"")
        }
        set("url", url)
        set("output", "-")
        set("dump-header", headers.string)
        for name in ["fail", "location", "silent", "show-error", "netrc-optional", "globoff", "no-buffer"] {
            flag(name)
        }
        set("max-redirs", "10")
        set("proto", "=http,https")
        // Never from an encrypted connection to one that anybody can read and change.
        set("proto-redir", location.isEncrypted ? "=https" : "=http,https")
        set("connect-timeout", "30")
        set("speed-limit", "1")
        set("speed-time", "\(patience)")
        set("user-agent", "wander")
        if start > 0 {
            set("continue-at", "\(start)")
            if let validator { set("header", "If-Range: \(validator)") }
        }
        if options.insecure { flag("insecure") }
        if options.trustRedirects { flag("location-trusted") }
        if let path = options.certificateAuthorities { set("cacert", path.string) }
        if let path = options.certificateAuthoritiesFolder { set("capath", path.string) }
        if let path = options.clientCertificate { set("cert", path.string) }
        return lines.joined(separator: "\n") + "\n"
    }
}

/// The last of the responses whose headers curl wrote down (redirects come before it).
struct HTTPResponse: Equatable {
    var status: Int?
    private var fields: [String: String] = [:]

    init(headers: [UInt8]) {
        for line in headers.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }) {
            let text = String(decoding: line, as: UTF8.self)
            if text.hasPrefix("HTTP/") {
                status = text.split(separator: " ").dropFirst().first.flatMap { Int($0) }
                fields = [:]
            } else if let colon = text.firstIndex(of: ":") {
                fields[text[..<colon].lowercased()] = String(text[text.index(after: colon)...]).trimmed
            }
        }
    }

    /// Seconds since 1970.
    var modified: Int64? { fields["last-modified"].flatMap(HTTPDate.seconds) }

    /// The size of the whole file, in bytes.
    func total(start: UInt64) -> UInt64? {
        if status == 206 {
            return fields["content-range"]?.split(separator: "/").last.flatMap { UInt64($0) }
        }
        guard fields["content-encoding"] == nil else { return nil }
        return fields["content-length"].flatMap { UInt64($0) }
    }

    /// What a later request can ask for the rest by. A weak ETag cannot be used (RFC 9110, section 13.1.5).
    var validator: String? {
        if let tag = fields["etag"], !tag.hasPrefix("W/"), tag.utf8.allSatisfy({ (0x21..<0x7f).contains($0) }) {
            return tag
        }
        // A date of the last minute may stand for two versions (RFC 9110, section 8.8.2.2).
        guard let modified = fields["last-modified"], let time = HTTPDate.seconds(modified),
            let now = fields["date"].flatMap(HTTPDate.seconds), now - time >= 60
        else { return nil }
        return modified
    }
}
