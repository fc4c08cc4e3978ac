import CLinux
import Glibc

/// How many files this process may have open.
public enum OpenFileLimit {
    /// As it is now.
    public static var current: Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        return Int(clamping: limit.rlim_cur)
    }

    /// Raises the limit as far as this user may. The usual one is made for programs that use select(2).
    /// - Parameter most: More are not asked for.
    /// - Returns: How many files may be open from now on.
    @discardableResult
    public static func raise(to most: Int = .max) -> Int {
        var limit = rlimit()
        let which = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard unsafe getrlimit(which, &limit) == 0 else { return 1024 }
        let old = limit.rlim_cur
        limit.rlim_cur = min(limit.rlim_max, rlim_t(most))
        if unsafe setrlimit(which, &limit) != 0 { limit.rlim_cur = old }
        return Int(clamping: limit.rlim_cur)
    }
}
