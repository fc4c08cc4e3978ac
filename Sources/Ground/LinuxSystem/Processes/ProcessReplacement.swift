import CLinux
import Glibc
import SystemPackage

/// Replaces this process by another program (execvp(3)).
public enum ProcessReplacement {
    /// - Returns: Only on failure, why.
    public static func execute(_ arguments: [String]) throws(SystemError) -> SystemError {
        // A new program does not expect signals to be blocked, and mine are taken by a thread that ends here.
        // What is ignored would stay so, too.
        for number in [SIGPIPE, SIGXFSZ] { linux_reset_signal(number) }
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe pthread_sigmask(SIG_SETMASK, &none, nil)
        unsafe withCStrings(arguments) { argv in
            if let name = unsafe argv[0] { _ = unsafe execvp(name, argv) }
        }
        return SystemError("start", FilePath(arguments.first ?? ""), Errno(rawValue: errno))
    }
}
