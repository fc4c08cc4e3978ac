import CLinux
import Glibc

extension ChildProcess {
    /// Runs a program to its end and collects what it prints.
    /// - Parameter limit: Of each of the two outputs, in bytes.
    public static func run(
        _ arguments: [String], input: [UInt8] = [], limit: Int = 16 << 20, _ options: Options = Options()
    ) throws(SystemError) -> (outcome: Outcome, output: [UInt8], error: [UInt8]) {
        let (output, error, feed) = try (ChildPipe(), ChildPipe(), ChildPipe())
        var options = options
        options.output = .descriptor(output.writeEnd)
        options.error = .descriptor(error.writeEnd)
        options.input = .descriptor(feed.readEnd)
        let child = try start(arguments, options)
        // Only the child may hold these ends, or their readers would wait for ever.
        output.closeWriteEnd()
        error.closeWriteEnd()
        feed.closeReadEnd()
        var unwritten = input[...]
        try feed.setNonBlocking()
        var texts = (output: [UInt8](), error: [UInt8]())
        let poller = try Poller()
        try poller.add(output.readEnd, .readable, token: 0)
        try poller.add(error.readEnd, .readable, token: 1)
        if unwritten.isEmpty { feed.closeWriteEnd() } else { try poller.add(feed.writeEnd, .writable, token: 2) }
        var open = 2
        while open > 0 {
            for ready in try poller.wait() {
                if ready.token == 2 {
                    if feed.write(&unwritten) { continue }
                    poller.remove(feed.writeEnd)
                    feed.closeWriteEnd()
                    continue
                }
                let pipe = ready.token == 0 ? output : error
                let bytes = try pipe.read()
                if bytes.isEmpty {
                    poller.remove(pipe.readEnd)
                    open -= 1
                } else if ready.token == 0 {
                    texts.output += bytes.prefix(max(0, limit - texts.output.count))
                } else {
                    texts.error += bytes.prefix(max(0, limit - texts.error.count))
                }
            }
        }
        let outcome = try child.wait() ?? .exited(-1)
        return (outcome, texts.output, texts.error)
    }
}

/// A pipe whose ends are closed one by one, in a class so that it can be named in a loop.
final class ChildPipe {
    private var readDescriptor: OwnedDescriptor?
    private var writeDescriptor: OwnedDescriptor?
    let readEnd: CInt
    let writeEnd: CInt

    init() throws(SystemError) {
        var ends: [CInt] = [-1, -1]
        _ = try checked(unsafe linux_pipe2(&ends, O_CLOEXEC), "make a pipe")
        (readEnd, writeEnd) = (ends[0], ends[1])
        readDescriptor = OwnedDescriptor(owning: readEnd)
        writeDescriptor = OwnedDescriptor(owning: writeEnd)
    }

    func closeReadEnd() { readDescriptor = nil }
    func closeWriteEnd() { writeDescriptor = nil }
    func setNonBlocking() throws(SystemError) { try writeDescriptor?.setNonBlocking() }
    func read() throws(SystemError) -> [UInt8] { try readDescriptor?.read(upTo: 1 << 16) ?? [] }

    /// Writes what the pipe takes.
    /// - Returns: Whether there is more to write and somebody to read it.
    func write(_ bytes: inout ArraySlice<UInt8>) -> Bool {
        let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(writeEnd, $0.baseAddress, $0.count) }
        if count > 0 { bytes = bytes.dropFirst(count) }
        return !bytes.isEmpty && (count > 0 || errno == EAGAIN || errno == EINTR)
    }
}
