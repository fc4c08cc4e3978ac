import CLinux
import Glibc

/// What must be true of a system call's arguments for ``SystemCallFilter`` to let it pass. Compared is an argument's
/// lower half: all that are compared here are 32-bit numbers to the kernel, which does not look at the rest either.
public struct ArgumentCondition: Sendable, Equatable {
    private struct Comparison: Sendable, Equatable {
        enum Test: Sendable, Equatable {
            case isOneOf([UInt32])
            case isNoneOf([UInt32])
            /// No bit of the mask is set.
            case lacks(UInt32)
            /// A bit of the mask is set.
            case has(UInt32)
        }
        /// From 0.
        var argument: Int
        var test: Test
    }

    /// One of these must hold whole.
    private var alternatives: [[Comparison]]

    public static let always = ArgumentCondition(alternatives: [[]])

    /// - Parameter argument: Counted from 0.
    public static func isOneOf(_ argument: Int, _ values: [UInt32]) -> ArgumentCondition {
        ArgumentCondition(alternatives: [[Comparison(argument: argument, test: .isOneOf(values))]])
    }

    /// - Parameter argument: Counted from 0.
    public static func isNoneOf(_ argument: Int, _ values: [UInt32]) -> ArgumentCondition {
        ArgumentCondition(alternatives: [[Comparison(argument: argument, test: .isNoneOf(values))]])
    }

    /// None of the bits of `mask` is set.
    public static func lacks(_ argument: Int, _ mask: UInt32) -> ArgumentCondition {
        ArgumentCondition(alternatives: [[Comparison(argument: argument, test: .lacks(mask))]])
    }

    /// At least one of the bits of `mask` is set.
    public static func has(_ argument: Int, _ mask: UInt32) -> ArgumentCondition {
        ArgumentCondition(alternatives: [[Comparison(argument: argument, test: .has(mask))]])
    }

    public func and(_ other: ArgumentCondition) -> ArgumentCondition {
        ArgumentCondition(alternatives: alternatives.flatMap { left in other.alternatives.map { left + $0 } })
    }

    public func or(_ other: ArgumentCondition) -> ArgumentCondition {
        ArgumentCondition(alternatives: alternatives + other.alternatives)
    }

    /// Allows or refuses a call that is being looked at.
    /// - Parameter refusal: What the kernel does with one that is refused.
    func program(refusal: UInt32 = SystemCallFilter.refuse) -> [SystemCallFilter.Instruction] {
        typealias Filter = SystemCallFilter
        var program = [Filter.Instruction(code: Filter.give, operand: refusal)]
        for alternative in alternatives.reversed() {
            var success = [Filter.Instruction(code: Filter.give, operand: Filter.allow)]
            for comparison in alternative.reversed() { success = Self.check(comparison, then: success) }
            program = success + program
        }
        return program
    }

    /// Goes on with `success`, or behind it.
    private static func check(
        _ comparison: Comparison, then success: [SystemCallFilter.Instruction]
    ) -> [SystemCallFilter.Instruction] {
        typealias Filter = SystemCallFilter
        // struct seccomp_data: the arguments are 64-bit words behind 16 bytes, in the machine's order.
        var code = [Filter.Instruction(code: Filter.loadWord, operand: UInt32(16 + 8 * comparison.argument))]
        switch comparison.test {
        case .isOneOf(let values):
            // A conditional jump reaches 255 instructions.
            for (index, value) in values.enumerated() {
                code.append(
                    Filter.Instruction(
                        code: Filter.jumpIfEqual, whenTrue: UInt8(values.count - index), operand: value))
            }
        case .isNoneOf(let values):
            for (index, value) in values.enumerated() {
                code.append(
                    Filter.Instruction(
                        code: Filter.jumpIfEqual, whenTrue: UInt8(values.count - index), operand: value))
            }
            // Over the jump that a value which is one of them goes to.
            code.append(Filter.Instruction(code: Filter.jump, operand: 1))
        case .lacks(let mask):
            code.append(Filter.Instruction(code: Filter.jumpIfAnySet, whenFalse: 1, operand: mask))
        case .has(let mask):
            code.append(Filter.Instruction(code: Filter.jumpIfAnySet, whenTrue: 1, operand: mask))
        }
        return code + [Filter.Instruction(code: Filter.jump, operand: UInt32(success.count))] + success
    }
}

extension SystemCallFilter {
    /// What fcntl(2) may be asked: not `F_SETOWN`, `F_SETSIG` and their like, which send signals, nor leases and
    /// notifications.
    public static let ownFileCommands: [CInt] = [
        F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, CInt(linux_ofd_get_lock),
        CInt(linux_ofd_set_lock), CInt(linux_get_seals),
    ]

    /// What holds for calls in every filter that lists them: they could reach other processes, or leave what Landlock
    /// and the filter itself are about. Looked up for each filter: a child of fork(2) has another number.
    static var ownConditions: [Int: ArgumentCondition] {
        var conditions: [Int: ArgumentCondition] = [:]
        // No memory becomes executable.
        conditions[Int(SYS_mmap)] = .lacks(2, UInt32(PROT_EXEC))
        conditions[Int(SYS_mprotect)] = .lacks(2, UInt32(PROT_EXEC))
        // Signals and limits are the process's own.
        conditions[Int(SYS_tgkill)] = .isOneOf(0, [UInt32(bitPattern: getpid())])
        conditions[Int(SYS_prlimit64)] = .isOneOf(0, [0])
        conditions[Int(SYS_fcntl)] = .isOneOf(1, ownFileCommands.map { UInt32(bitPattern: $0) })
        // Threads alone, neither processes nor namespaces. clone3(2) keeps its flags where no filter sees them; where
        // it is not listed, the C library takes this one.
        conditions[Int(SYS_clone)] = ArgumentCondition.has(0, UInt32(linux_clone_thread))
            .and(.lacks(0, UInt32(linux_clone_namespaces)))
        // Names, and less.
        conditions[Int(SYS_prctl)] = .isOneOf(0, [PR_SET_NAME, PR_SET_NO_NEW_PRIVS, PR_SET_VMA].map { UInt32($0) })
        return conditions
    }
}
