import CLinux
import Glibc
import SystemPackage

/// A POSIX thread of our own. Blocking calls (KVM_RUN, libssh2, poll) would starve Swift's cooperative pool.
@safe public struct Thread: ~Copyable, @unchecked Sendable {
    // Unchecked: a pthread_t is a plain number that any thread may join or signal.
    private let handle: pthread_t

    private final class Start {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Starts a thread.
    /// - Parameters:
    ///   - name: Shown by ps and gdb; 15 bytes of it.
    ///   - stackSize: In bytes. Small, so that huge pages do not turn each stack into 2 MiB of resident memory.
    public init(
        name: String, stackSize: Int = 512 << 10, body: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        unsafe pthread_attr_setstacksize(&attributes, stackSize)
        let start = unsafe Unmanaged.passRetained(Start(name: name, body: body))
        var handle = pthread_t()
        let status = unsafe pthread_create(&handle, &attributes, Self.entry, start.toOpaque())
        guard status == 0 else {
            unsafe start.release()
            throw SystemError("start a thread", nil, Errno(rawValue: status))
        }
        self.handle = handle
    }

    private static let entry: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
        guard let argument = unsafe argument else { return nil }
        let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        unsafe start.name.withCString { unsafe linux_set_thread_name($0) }
        start.body()
        return nil
    }

    /// Waits for the thread's end. Every thread is joined exactly once.
    public consuming func join() { _ = pthread_join(handle, nil) }

    /// Sends a signal to the thread, to interrupt the system call it is in.
    public func interrupt(with signal: CInt) { _ = pthread_kill(handle, signal) }

    /// Runs `body` once for each element, at most `limit` at a time, and returns when all have ended.
    public static func forEach<Element: Sendable>(
        _ elements: [Element], limit: Int = 8, name: String, _ body: @escaping @Sendable (Element) -> Void
    ) throws(SystemError) {
        let queue = WorkQueue(elements)
        var threads: [ThreadHandle] = []
        for _ in 0..<min(max(1, limit), elements.count) {
            threads.append(
                ThreadHandle(
                    try Thread(name: name, stackSize: 1 << 20) {
                        while let element = queue.next() { body(element) }
                    }))
        }
        for thread in threads { thread.join() }
    }
}
