import CLinux
import Glibc

/// What a process has from whoever started it, made sane before it does anything else: a supervisor, a shell's trap, a
/// container or a program with faults of its own may have left it in any state.
public enum InheritedState {
    /// Call it first in a program: before a file is opened, a thread is started or a child is run.
    ///
    /// * Descriptors 0 to 2 that are closed would be taken by the next file or socket, and what is meant for people
    ///   would be written into it: they become `/dev/null`. So does a standard input that cannot be read.
    /// * The umask takes nothing from the owner: a program that cannot read its own files fails in strange places.
    /// * Signals are neither blocked nor ignored: with SIGCHLD ignored no child's end is heard of. SIGHUP stays
    ///   ignored, as nohup(1) wants it. SIGPIPE and SIGXFSZ are ignored: a write that fails says so, instead of ending
    ///   the process.
    /// * As many files may be open as this user is allowed.
    public static func makeSane() {
        openStandardDescriptors()
        _ = umask(umask(0o077) & 0o077)
        resetSignals()
        OpenFileLimit.raise()
    }

    private static func openStandardDescriptors() {
        for descriptor: CInt in 0...2 {
            let flags = linux_fcntl(descriptor, F_GETFL, 0)
            // A descriptor by O_PATH can neither be read nor written.
            let isUsable = flags >= 0 && flags & Int(linux_open_path) == 0
            if isUsable, descriptor != 0 || flags & Int(O_ACCMODE) != Int(O_WRONLY) { continue }
            let null = unsafe open("/dev/null", O_RDWR)
            // Without /dev: anything that holds the number is better than a file that is opened later.
            let raw = unsafe null >= 0 ? null : open("/", O_RDONLY)
            guard raw >= 0, raw != descriptor else { continue }
            dup2(raw, descriptor)
            close(raw)
        }
    }

    private static func resetSignals() {
        // Those of the C library's own use, 32 and 33, are refused.
        for number in 1...linux_last_signal() where number != SIGHUP && linux_ignores_signal(number) != 0 {
            linux_reset_signal(number)
        }
        Signals.ignoreWriteSignals()
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigprocmask(SIG_SETMASK, &none, nil)
    }
}
