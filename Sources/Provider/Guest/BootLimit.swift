import EnvFile
import LinuxSystem
import SSH

/// How long a guest may take until it answers. Emulation is slower than KVM by far more than the factor, but computing
/// is seldom all that takes long at a boot. A guest that makes progress has twice as long.
struct BootLimit {
    let milliseconds: Int64

    init(_ provider: ProviderKind, _ timeout: Duration) {
        let milliseconds = min(timeout.milliseconds, 7 * 86_400_000)
        self.milliseconds = provider == .emulation ? milliseconds * 3 : milliseconds
    }

    func wait(isAlive: @escaping () -> Bool) -> ReadyWait.Limit {
        ReadyWait.Limit(milliseconds: milliseconds, longestMilliseconds: milliseconds * 2, isAlive: isAlive)
    }
}
