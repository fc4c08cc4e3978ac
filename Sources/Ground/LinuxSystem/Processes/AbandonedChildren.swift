import CLinux
import Glibc
import Synchronization

/// Children whose end nobody waits for: monitors and networks outlive the command that starts them. Of one that ends
/// while its starter still runs, the kernel keeps the status until somebody asks (a zombie, waitpid(2)).
enum AbandonedChildren {
    private static let identifiers = Mutex<[pid_t]>([])

    static func add(_ identifier: pid_t) { identifiers.withLock { $0.append(identifier) } }

    /// Asks for the status of those that have ended, without waiting for any.
    static func collect() {
        identifiers.withLock { identifiers in
            identifiers.removeAll { identifier in
                var status: CInt = 0
                // 0: it still runs.
                return unsafe waitpid(identifier, &status, WNOHANG) != 0
            }
        }
    }
}
