import Glibc
import LinuxSystem
import Synchronization
import SystemPackage

/// An HTTP/1.1 server on 127.0.0.1 with the few answers that the tests need: ranges, ETags, redirects, logins, broken
/// connections. One request a connection.
final class HTTPFixture: Sendable {
    struct Resource: Sendable {
        var body: [UInt8] = []
        var tag: String? = "\"1\""
        /// `Last-Modified`.
        var modified: String?
        var status = 200
        var location: String?
        var contentType = "application/octet-stream"
        /// The connection ends after so many bytes of the body, once.
        var breakAfter: Int?
        var acceptsRanges = true
        /// After so many bytes of the body nothing comes any more, each time.
        var stallAfter: Int?
        /// What is at other paths once this has been asked for.
        var afterwards: [String: [UInt8]] = [:]
        /// `user:password`, in the base64 of HTTP's basic scheme.
        var login: String?
    }
    private struct State {
        var resources: [String: Resource] = [:]
        var requests: [String] = []
        var isStopped = false
    }

    private let state = Mutex(State())
    private let listener: CInt
    let port: UInt16

    init() throws {
        listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, pointer, &length) == 0
            }
        }
        guard bound else { throw SystemError("listen", nil, .addressInUse) }
        port = UInt16(bigEndian: address.sin_port)
        let thread = try Thread(name: "http") { [self] in serve() }
        _ = consume thread
    }

    /// Ends the server's thread; the object goes with it.
    func stop() {
        state.withLock { $0.isStopped = true }
        shutdown(listener, CInt(SHUT_RDWR))
        close(listener)
    }

    var base: String { "http://127.0.0.1:\(port)" }
    func set(_ path: String, _ resource: Resource) { state.withLock { $0.resources[path] = resource } }
    func set(_ path: String, _ body: [UInt8]) { set(path, Resource(body: body)) }
    /// `METHOD PATH` and header lines of every request so far.
    var requests: [String] { state.withLock(\.requests) }

    private func serve() {
        while !state.withLock(\.isStopped) {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { continue }
            answer(OwnedDescriptor(owning: connection))
        }
    }

    private func answer(_ connection: borrowing OwnedDescriptor) {
        var request: [UInt8] = []
        while request.suffix(4) != [13, 10, 13, 10] {
            guard let bytes = try? connection.read(upTo: 4096), !bytes.isEmpty else { return }
            request += bytes
        }
        let text = String(decoding: request, as: UTF8.self)
        let path = String(text.split(separator: " ").dropFirst().first ?? "")
        let resource = state.withLock { state -> Resource? in
            state.requests.append(text)
            let found = state.resources[path]
            state.resources[path]?.breakAfter = nil
            for (path, body) in found?.afterwards ?? [:] { state.resources[path] = Resource(body: body) }
            return found
        }
        guard let resource else { return send("404 Not Found", [], [], connection) }
        func field(_ name: String) -> String? {
            text.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name + ":") }
                .map { String($0.dropFirst(name.count + 2)) }
        }
        if let login = resource.login, field("authorization") != "Basic \(login)" {
            return send("401 Unauthorized", ["WWW-Authenticate: Basic realm=\"boxes\""], [], connection)
        }
        if let location = resource.location { return send("302 Found", ["Location: \(location)"], [], connection) }
        guard resource.status == 200 else { return send("\(resource.status) No", [], Array("no".utf8), connection) }
        var fields = ["Content-Type: \(resource.contentType)"]
        if let tag = resource.tag { fields.append("ETag: \(tag)") }
        if let modified = resource.modified { fields.append("Last-Modified: \(modified)") }
        let range = field("range").flatMap { Int($0.dropFirst("bytes=".count).dropLast()) }
        let isSame = field("if-range").map { $0 == resource.tag } ?? true
        var body = resource.body[...]
        var status = "200 OK"
        if let range, isSame, resource.acceptsRanges {
            guard range < body.count else { return send("416 Range Not Satisfiable", [], [], connection) }
            fields.append("Content-Range: bytes \(range)-\(body.count - 1)/\(body.count)")
            body = body[range...]
            status = "206 Partial Content"
        }
        send(status, fields, Array(body), connection, cutAt: resource.breakAfter ?? resource.stallAfter)
        guard resource.stallAfter != nil else { return }
        // Until the client has had enough.
        while let bytes = try? connection.read(upTo: 64), !bytes.isEmpty {}
    }

    private func send(
        _ status: String, _ fields: [String], _ body: [UInt8], _ connection: borrowing OwnedDescriptor,
        cutAt: Int? = nil
    ) {
        let head = (["HTTP/1.1 \(status)", "Content-Length: \(body.count)", "Connection: close"] + fields)
            .joined(separator: "\r\n")
        try? connection.writeAll(Array((head + "\r\n\r\n").utf8) + body.prefix(cutAt ?? body.count))
    }
}
