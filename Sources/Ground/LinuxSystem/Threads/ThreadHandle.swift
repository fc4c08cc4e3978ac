/// Lets a thread be in an array or a tuple, and joins it once, however often it is asked to. Used by one thread.
public final class ThreadHandle {
    private var thread: Thread?

    public init(_ thread: consuming Thread) { self.thread = consume thread }

    /// Sends a signal to the thread, to interrupt the system call it is in; nothing once it is joined.
    public func interrupt(with signal: CInt) { thread?.interrupt(with: signal) }

    /// Waits for the thread's end.
    public func join() { thread.take()?.join() }
}
