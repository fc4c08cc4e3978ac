import CLibSlirp

/// Messages of libslirp and glib. glib would write them to standard error, as often as a guest provokes them.
enum LibraryMessages {
    // SAFETY: only the thread that runs the network, and with it libslirp, comes here.
    private nonisolated(unsafe) static var receive: (String) -> Void = { _ in }

    /// Gives all of it to `receive` from now on, in place of whoever got it before.
    static func deliver(to receive: @escaping (String) -> Void) {
        unsafe Self.receive = receive
        _ = unsafe g_log_set_default_handler(
            { _, _, message, _ in
                guard let message = unsafe message else { return }
                unsafe LibraryMessages.receive(String(cString: message))
            }, nil)
    }
}
