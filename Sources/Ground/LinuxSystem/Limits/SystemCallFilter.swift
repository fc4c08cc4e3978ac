import CLinux
import Glibc
import SystemPackage

/// A list of the system calls that a process may still make (seccomp(2), filter mode); every other one fails with
/// `ENOSYS`, as if the kernel did not have it. Memory cannot be made executable any more.
///
/// A refusal is a fault of the list, or somebody who has taken the process over: each is named on standard error, once
/// (`refused system call: ioctl, request 0x541b`). The kernel tells it to the thread itself, by SIGSYS
/// (`SECCOMP_RET_TRAP`): its own log is for root alone, and a supervisor (`SECCOMP_RET_USER_NOTIF`) would be a thread
/// of the confined process that could let calls pass. What libraries are known to try, and do without, is refused
/// without a word.
public struct SystemCallFilter: Sendable {
    /// An instruction of classic BPF, as the kernel's `sock_filter`.
    struct Instruction: BitwiseCopyable, Equatable {
        var code: UInt16
        var whenTrue: UInt8 = 0
        var whenFalse: UInt8 = 0
        var operand: UInt32
    }

    let program: [Instruction]
    private let tellsRefusals: Bool

    // linux/seccomp.h, linux/audit.h, linux/filter.h
    static let allow: UInt32 = 0x7fff_0000
    static let refuse: UInt32 = 0x0003_0000 | UInt32(ENOSYS)
    static let refuseQuietly: UInt32 = 0x0005_0000 | UInt32(ENOSYS)
    static let kill: UInt32 = 0x8000_0000
    private static let architecture: UInt32 = 0xc000_003e
    static let loadWord: UInt16 = 0x20
    static let jump: UInt16 = 0x05
    static let jumpIfEqual: UInt16 = 0x15
    static let jumpIfAnySet: UInt16 = 0x45
    private static let jumpIfAtLeast: UInt16 = 0x35
    static let give: UInt16 = 0x06

    /// - Parameters:
    ///   - calls: Numbers of x86-64.
    ///   - socketFamilies: What `socket(2)`, if listed, may be called with.
    ///   - ioctlRequests: What `ioctl(2)`, if listed, may be asked; at most 100.
    ///   - expected: Calls that are refused without a word.
    ///   - conditions: What else must be true of listed calls' arguments, by the calls' numbers. What ``ownConditions``
    ///     says of some calls holds for every filter.
    public init(
        allowing calls: [Int], socketFamilies: [CInt] = [], ioctlRequests: [UInt32] = [],
        conditions: [Int: ArgumentCondition] = [:], refusingQuietly expected: [Int] = []
    ) {
        var rules = Self.ownConditions.merging(conditions) { $0.and($1) }
        if conditions[Int(SYS_socket)] == nil {
            rules[Int(SYS_socket)] = .isOneOf(0, socketFamilies.map { UInt32(bitPattern: $0) })
        }
        rules[Int(SYS_ioctl)] = .isOneOf(1, ioctlRequests)
        // The C library tries it for each thread, with every signal blocked, and then takes clone(2).
        let expected = expected + (calls.contains(Int(SYS_clone)) ? [Int(SYS_clone3)] : [])
        var spans: [(start: UInt32, code: [Instruction])] = [(0, [Instruction(code: Self.give, operand: Self.refuse)])]
        // The way back from the signal that tells of a refusal.
        let allowed = Set(calls).union([Int(SYS_rt_sigreturn)])
        for call in allowed.union(expected).sorted() {
            let code =
                allowed.contains(call)
                ? (rules[call] ?? .always).program()
                : [Instruction(code: Self.give, operand: Self.refuseQuietly)]
            let start = UInt32(truncatingIfNeeded: call)
            if let last = spans.last, last.start == start { spans.removeLast() }
            // Neighbours that are treated alike are one span.
            if spans.last.map({ $0.code != code }) ?? true { spans.append((start, code)) }
            spans.append((start + 1, [Instruction(code: Self.give, operand: Self.refuse)]))
        }
        program = Self.prologue + Self.search(spans[...])
        tellsRefusals = true
    }

    /// A filter for programs that are not ours: everything but a few calls, which fail with `ENOSYS` and are not named.
    /// - Parameters:
    ///   - calls: Numbers of x86-64.
    ///   - conditions: What must be true of other calls' arguments, by the calls' numbers.
    public init(refusing calls: [Int], conditions: [Int: ArgumentCondition] = [:]) {
        let allow = [Instruction(code: Self.give, operand: Self.allow)]
        let refuse = [Instruction(code: Self.give, operand: Self.refuseQuietly)]
        var spans: [(start: UInt32, code: [Instruction])] = [(0, allow)]
        for call in Set(calls).union(conditions.keys).sorted() {
            let code = calls.contains(call) ? refuse : conditions[call]?.program(refusal: Self.refuseQuietly) ?? allow
            let start = UInt32(truncatingIfNeeded: call)
            if let last = spans.last, last.start == start { spans.removeLast() }
            if spans.last.map({ $0.code != code }) ?? true { spans.append((start, code)) }
            spans.append((start + 1, allow))
        }
        program = Self.prologue + Self.search(spans[...])
        tellsRefusals = false
    }

    /// Loads the call's number.
    private static let prologue: [Instruction] = [
        // Another architecture's calls have other numbers; so have x32's, which carry bit 30.
        Instruction(code: Self.loadWord, operand: 4),
        Instruction(code: Self.jumpIfEqual, whenTrue: 1, operand: Self.architecture),
        Instruction(code: Self.give, operand: Self.kill),
        Instruction(code: Self.loadWord, operand: 0),
        Instruction(code: Self.jumpIfAtLeast, whenFalse: 1, operand: 0x4000_0000),
        Instruction(code: Self.give, operand: Self.kill),
    ]

    /// Finds the span that the call's number, which is loaded, lies in, by halves: the kernel tries every filter with
    /// every number when it is applied, and a list from front to back takes it a millisecond.
    private static func search(_ spans: ArraySlice<(start: UInt32, code: [Instruction])>) -> [Instruction] {
        guard spans.count > 1 else { return spans.first?.code ?? [] }
        let middle = spans.startIndex + spans.count / 2
        let lower = search(spans[..<middle])
        let upper = search(spans[middle...])
        // A conditional jump reaches 255 instructions, a plain one any.
        return [
            Instruction(code: jumpIfAtLeast, whenFalse: 1, operand: spans[middle].start),
            Instruction(code: jump, operand: UInt32(lower.count)),
        ] + lower + upper
    }

    /// Applies the filter to every thread of the process, or to the calling one alone, for ever; no program that it
    /// starts gains privileges.
    /// - Returns: Whether the kernel has such filters; if not, nothing is limited. Within another filter the answer is
    ///   about what that one allows.
    public func apply(toAllThreads: Bool = true) throws(SystemError) -> Bool {
        if tellsRefusals { _ = try checked(linux_report_refused_calls(), "watch for refused system calls") }
        try ProcessConfinement.giveUpNewPrivileges()
        // struct sock_fprog: a 16-bit count, padding, a pointer.
        let result = unsafe program.withUnsafeBufferPointer { instructions in
            var header = (UInt64(instructions.count), UInt64(UInt(bitPattern: instructions.baseAddress)))
            return unsafe withUnsafeMutablePointer(to: &header) {
                // SECCOMP_SET_MODE_FILTER, with SECCOMP_FILTER_FLAG_TSYNC.
                linux_syscall(Int(SYS_seccomp), 1, toAllThreads ? 1 : 0, UInt(bitPattern: $0), 0, 0)
            }
        }
        return try Self.isApplied(result) {
            // Without a program a kernel that has filters says EFAULT, another one what it said before.
            linux_syscall(Int(SYS_seccomp), 1, 0, 0, 0, 0)
        }
    }

    /// What seccomp(2) means by `result`. Only a kernel without filters may leave them out; all else is an error.
    /// - Parameter probe: The same call without a program.
    static func isApplied(_ result: Int, probe: () -> Int) throws(SystemError) -> Bool {
        if result == 0 { return true }
        // The number of a thread that has a filter of its own, which this one does not follow: none is applied.
        guard result < 0 else { throw SystemError("limit the system calls of thread \(result)", nil, .resourceBusy) }
        if result == -Int(ENOSYS) || (result == -Int(EINVAL) && probe() == result) { return false }
        return try checked(result, "limit the system calls") == 0
    }
}
