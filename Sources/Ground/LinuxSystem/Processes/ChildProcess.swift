import CLinux
import Glibc
import Synchronization
public import SystemPackage

/// A program to run, and with what. Descriptors are named one by one: everything else is closed in the child.
@safe public struct ChildProcess: ~Copyable, @unchecked Sendable {
    // Unchecked: only numbers.
    public let identifier: Int32
    /// Readable when the process has ended (pidfd_open(2)).
    private let pidDescriptor: OwnedDescriptor?
    private let pidRaw: CInt
    private let isCollected = Atomic(false)

    /// Readable when the process has ended.
    var endDescriptor: CInt { pidRaw }

    private init(_ identifier: pid_t) {
        self.identifier = identifier
        pidRaw = CInt(linux_pidfd_open(identifier))
        pidDescriptor = pidRaw >= 0 ? OwnedDescriptor(owning: pidRaw) : nil
    }

    /// A child that still runs goes on; its end is collected when this process next starts one.
    deinit {
        if !isCollected.load(ordering: .relaxed) { AbandonedChildren.add(identifier) }
    }

    public enum Stream: Sendable {
        case inherit
        case null
        /// A descriptor of this process, which stays open here.
        case descriptor(CInt)
    }

    public struct Options: Sendable {
        public var input: Stream = .null
        public var output: Stream = .inherit
        public var error: Stream = .inherit
        public var directory: FilePath?
        /// nil passes on this process's environment.
        public var environment: [String]?
        /// Makes the child the leader of a session of its own: the terminal's Ctrl-C does not reach it.
        public var newSession = false
        /// Descriptors that the child gets as 3, 4, ... in this order.
        public var extraDescriptors: [CInt] = []
        public init() {}
    }

    /// Starts `arguments[0]`, looked up in PATH unless it has a slash.
    public static func start(_ arguments: [String], _ options: Options = Options()) throws(SystemError) -> ChildProcess
    {
        let name = FilePath(arguments.first ?? "")
        guard !name.isEmpty else { throw SystemError("start a program without a name", nil, .invalidArgument) }
        AbandonedChildren.collect()
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        // First out of the way of the targets, then into place.
        var temporary: [SharedDescriptor] = []
        func moved(_ raw: CInt) throws(SystemError) -> CInt {
            let high = CInt(try checked(linux_fcntl(raw, F_DUPFD_CLOEXEC, 100), "duplicate a descriptor"))
            temporary.append(SharedDescriptor(OwnedDescriptor(owning: high)))
            return high
        }
        for (target, stream) in [(CInt(0), options.input), (1, options.output), (2, options.error)] {
            switch stream {
            case .inherit: break
            case .null: unsafe posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_RDWR, 0)
            case .descriptor(let raw): unsafe posix_spawn_file_actions_adddup2(&actions, try moved(raw), target)
            }
        }
        for (index, raw) in options.extraDescriptors.enumerated() {
            unsafe posix_spawn_file_actions_adddup2(&actions, try moved(raw), 3 + CInt(index))
        }
        unsafe linux_spawn_close_from(&actions, 3 + CInt(options.extraDescriptors.count))
        if let directory = options.directory {
            _ = unsafe directory.withPlatformString { unsafe linux_spawn_change_directory(&actions, $0) }
        }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // Signals that this process blocks or ignores must not stay so in the child.
        var mask = sigset_t()
        unsafe sigemptyset(&mask)
        unsafe posix_spawnattr_setsigmask(&attributes, &mask)
        var defaults = sigset_t()
        unsafe sigemptyset(&defaults)
        for signal in [SIGPIPE, SIGXFSZ] { unsafe sigaddset(&defaults, signal) }
        unsafe posix_spawnattr_setsigdefault(&attributes, &defaults)
        var flags = Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF)
        if options.newSession { flags |= linux_spawn_set_session }
        unsafe posix_spawnattr_setflags(&attributes, flags)
        var identifier: pid_t = 0
        let status = unsafe withCStrings(arguments) { argv in
            unsafe withCStrings(options.environment ?? currentEnvironment()) { environment in
                unsafe posix_spawnp(&identifier, name.string, &actions, &attributes, argv, environment)
            }
        }
        guard status == 0 else { throw SystemError("start", name, Errno(rawValue: status)) }
        return ChildProcess(identifier)
    }

    /// As ``start(_:_:)``, on a thread of its own that limits itself first: a program inherits what its starter may not
    /// do.
    /// - Parameter limit: What limits the thread. If it throws, nothing is started.
    public static func start(
        _ arguments: [String], _ options: Options, limit: @escaping @Sendable () throws(SystemError) -> Void
    ) throws(SystemError) -> ChildProcess {
        let started = Mutex<ChildProcess?>(nil)
        let failure = Mutex<SystemError?>(nil)
        let thread = try Thread(name: "start") {
            do throws(SystemError) {
                try limit()
                var child: ChildProcess? = try start(arguments, options)
                started.withLock { $0 = child.take() }
            } catch { failure.withLock { $0 = error } }
        }
        thread.join()
        if let child = started.withLock({ $0.take() }) { return child }
        throw failure.withLock { $0 } ?? SystemError("start", FilePath(arguments.first ?? ""), .noChildProcess)
    }

    public enum Outcome: Hashable, Sendable {
        case exited(Int32)
        case signalled(Int32)
        public var isSuccess: Bool { self == .exited(0) }
        /// As a shell reports it: 128 plus the signal's number.
        public var shellStatus: Int32 {
            switch self {
            case .exited(let status): status
            case .signalled(let signal): 128 + signal
            }
        }
    }

    /// Waits for the end and collects it.
    /// - Returns: nil if the time was over or `cancellation` was requested; then the process still runs.
    public func wait(milliseconds: Int32 = -1, cancellation: Cancellation? = nil) throws(SystemError) -> Outcome? {
        if pidRaw >= 0 {
            let ended = try waitUntilReady(
                pidRaw, for: .readable, milliseconds: milliseconds, cancellation: cancellation)
            guard ended else { return nil }
        }
        var status: CInt = 0
        _ = try retrying("wait for a program") { negativeErrno(Int(unsafe waitpid(identifier, &status, 0))) }
        isCollected.store(true, ordering: .relaxed)
        let signal = linux_exit_signal(status)
        return signal != 0 ? .signalled(signal) : .exited(linux_exit_status(status))
    }

    public func signal(_ number: CInt) { _ = kill(identifier, number) }

    /// Collects the ends of children that nobody waited for, as each start of another one does.
    public static func collectAbandoned() { AbandonedChildren.collect() }
}

/// Passes texts as a C array of C strings that ends with a null pointer.
func withCStrings<Result>(
    _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    let count = texts.count
    let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: count + 1)
    for (index, text) in texts.enumerated() { unsafe pointers[index] = strdup(text) }
    unsafe pointers[count] = nil
    defer {
        for index in 0..<count { unsafe free(pointers[index]) }
        unsafe pointers.deallocate()
    }
    return unsafe body(pointers)
}
