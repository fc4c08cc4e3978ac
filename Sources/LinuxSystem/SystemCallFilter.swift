import CLinux
import Glibc
import SystemPackage

/// A list of the system calls that a process may still make (seccomp(2), filter mode); every other one fails with `ENOSYS`,
/// as if the kernel did not have it. Memory cannot be made executable any more.
///
/// A refusal is a fault of the list, or somebody who has taken the process over: each is named on standard error, once
/// (`refused system call: ioctl, request 0x541b`). The kernel tells it to the thread itself, by SIGSYS (`SECCOMP_RET_TRAP`):
/// its own log is for root alone, and a supervisor (`SECCOMP_RET_USER_NOTIF`) would be a thread of the confined process that
/// could let calls pass. What libraries are known to try, and do without, is refused without a word.
public struct SystemCallFilter: Sendable {
    /// An instruction of classic BPF, as the kernel's `sock_filter`.
    struct Instruction: BitwiseCopyable, Equatable {
        var code: UInt16
        var whenTrue: UInt8 = 0
        var whenFalse: UInt8 = 0
        var operand: UInt32
    }

    let program: [Instruction]

    // linux/seccomp.h, linux/audit.h, linux/filter.h
    static let allow: UInt32 = 0x7fff_0000
    static let refuse: UInt32 = 0x0003_0000 | UInt32(ENOSYS)
    static let refuseQuietly: UInt32 = 0x0005_0000 | UInt32(ENOSYS)
    static let kill: UInt32 = 0x8000_0000
    private static let architecture: UInt32 = 0xc000_003e
    private static let loadWord: UInt16 = 0x20
    private static let jump: UInt16 = 0x05
    private static let jumpIfEqual: UInt16 = 0x15
    private static let jumpIfAnySet: UInt16 = 0x45
    private static let jumpIfAtLeast: UInt16 = 0x35
    private static let give: UInt16 = 0x06

    /// - Parameters:
    ///   - calls: Numbers of x86-64.
    ///   - socketFamilies: What `socket(2)`, if listed, may be called with.
    ///   - ioctlRequests: What `ioctl(2)`, if listed, may be asked; at most 100.
    ///   - expected: Calls that are refused without a word.
    public init(
        allowing calls: [Int], socketFamilies: [CInt] = [], ioctlRequests: [UInt32] = [],
        refusingQuietly expected: [Int] = []
    ) {
        var program: [Instruction] = [
            // Another architecture's calls have other numbers; so have x32's, which carry bit 30.
            Instruction(code: Self.loadWord, operand: 4),
            Instruction(code: Self.jumpIfEqual, whenTrue: 1, operand: Self.architecture),
            Instruction(code: Self.give, operand: Self.kill),
            Instruction(code: Self.loadWord, operand: 0),
            Instruction(code: Self.jumpIfAtLeast, whenFalse: 1, operand: 0x4000_0000),
            Instruction(code: Self.give, operand: Self.kill),
        ]
        var spans: [(start: UInt32, code: [Instruction])] = [(0, [Instruction(code: Self.give, operand: Self.refuse)])]
        // The way back from the signal that tells of a refusal.
        let allowed = Set(calls).union([Int(SYS_rt_sigreturn)])
        for call in allowed.union(expected).sorted() {
            let code =
                allowed.contains(call)
                ? Self.code(for: call, socketFamilies, ioctlRequests)
                : [Instruction(code: Self.give, operand: Self.refuseQuietly)]
            let start = UInt32(truncatingIfNeeded: call)
            if let last = spans.last, last.start == start { spans.removeLast() }
            // Neighbours that are treated alike are one span.
            if spans.last.map({ $0.code != code }) ?? true { spans.append((start, code)) }
            spans.append((start + 1, [Instruction(code: Self.give, operand: Self.refuse)]))
        }
        program += Self.search(spans[...])
        self.program = program
    }

    /// What is done about one listed call.
    private static func code(for call: Int, _ socketFamilies: [CInt], _ ioctlRequests: [UInt32]) -> [Instruction] {
        let allow = Instruction(code: give, operand: Self.allow)
        let refuse = Instruction(code: give, operand: Self.refuse)
        switch call {
        case Int(SYS_mmap), Int(SYS_mprotect):
            // The protection is the third argument: PROT_EXEC must be absent.
            return [
                Instruction(code: loadWord, operand: 16 + 2 * 8),
                Instruction(code: jumpIfAnySet, whenFalse: 1, operand: UInt32(PROT_EXEC)), refuse, allow,
            ]
        case Int(SYS_socket):
            return one(of: socketFamilies.map { UInt32(bitPattern: $0) }, at: 16)
        case Int(SYS_ioctl):
            // The lower half of the second argument: requests have 32 bits.
            return one(of: ioctlRequests, at: 24)
        default: return [allow]
        }
    }

    /// Allows the call if the word at `offset` of its data is one of `values`.
    private static func one(of values: [UInt32], at offset: UInt32) -> [Instruction] {
        var code = [Instruction(code: loadWord, operand: offset)]
        for value in values {
            code.append(Instruction(code: jumpIfEqual, whenFalse: 1, operand: value))
            code.append(Instruction(code: give, operand: allow))
        }
        return code + [Instruction(code: give, operand: refuse)]
    }

    /// Finds the span that the call's number, which is loaded, lies in, by halves: the kernel tries every filter with every
    /// number when it is applied, and a list from front to back takes it a millisecond.
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

    /// Applies the filter to every thread of the process, or to the calling one alone, for ever; no program that it starts
    /// gains privileges.
    public func apply(toAllThreads: Bool = true) throws(SystemError) {
        _ = try checked(linux_report_refused_calls(), "watch for refused system calls")
        _ = try checked(linux_prctl(CInt(PR_SET_NO_NEW_PRIVS), 1, 0), "give up new privileges")
        // struct sock_fprog: a 16-bit count, padding, a pointer.
        let result = unsafe program.withUnsafeBufferPointer { instructions in
            var header = (UInt64(instructions.count), UInt64(UInt(bitPattern: instructions.baseAddress)))
            return unsafe withUnsafeMutablePointer(to: &header) {
                // SECCOMP_SET_MODE_FILTER, with SECCOMP_FILTER_FLAG_TSYNC.
                linux_syscall(Int(SYS_seccomp), 1, toAllThreads ? 1 : 0, UInt(bitPattern: $0), 0, 0)
            }
        }
        _ = try checked(result, "limit the system calls")
    }
}
