import CLinux
import Glibc
import SystemPackage

/// A list of the system calls that a process may still make (seccomp(2), filter mode); every other one fails with `ENOSYS`,
/// as if the kernel did not have it. Memory cannot be made executable any more.
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
    static let refuse: UInt32 = 0x0005_0000 | UInt32(ENOSYS)
    static let kill: UInt32 = 0x8000_0000
    private static let architecture: UInt32 = 0xc000_003e
    private static let loadWord: UInt16 = 0x20
    private static let jumpIfEqual: UInt16 = 0x15
    private static let jumpIfAnySet: UInt16 = 0x45
    private static let jumpIfAtLeast: UInt16 = 0x35
    private static let give: UInt16 = 0x06

    /// - Parameters:
    ///   - calls: Numbers of x86-64.
    ///   - socketFamilies: What `socket(2)`, if listed, may be called with.
    ///   - ioctlRequests: What `ioctl(2)`, if listed, may be asked; at most 100.
    public init(allowing calls: [Int], socketFamilies: [CInt] = [], ioctlRequests: [UInt32] = []) {
        var program: [Instruction] = [
            // Another architecture's calls have other numbers; so have x32's, which carry bit 30.
            Instruction(code: Self.loadWord, operand: 4),
            Instruction(code: Self.jumpIfEqual, whenTrue: 1, operand: Self.architecture),
            Instruction(code: Self.give, operand: Self.kill),
            Instruction(code: Self.loadWord, operand: 0),
            Instruction(code: Self.jumpIfAtLeast, whenFalse: 1, operand: 0x4000_0000),
            Instruction(code: Self.give, operand: Self.kill),
        ]
        for call in Set(calls).sorted() {
            switch call {
            case Int(SYS_mmap), Int(SYS_mprotect):
                // The protection is the third argument: PROT_EXEC must be absent.
                program += [
                    Instruction(code: Self.jumpIfEqual, whenFalse: 4, operand: UInt32(call)),
                    Instruction(code: Self.loadWord, operand: 16 + 2 * 8),
                    Instruction(code: Self.jumpIfAnySet, whenFalse: 1, operand: UInt32(PROT_EXEC)),
                    Instruction(code: Self.give, operand: Self.refuse),
                    Instruction(code: Self.give, operand: Self.allow),
                ]
            case Int(SYS_socket):
                program.append(
                    Instruction(
                        code: Self.jumpIfEqual, whenFalse: UInt8(2 + 2 * socketFamilies.count), operand: UInt32(call)))
                program.append(Instruction(code: Self.loadWord, operand: 16))
                for family in socketFamilies {
                    program.append(
                        Instruction(code: Self.jumpIfEqual, whenFalse: 1, operand: UInt32(bitPattern: family)))
                    program.append(Instruction(code: Self.give, operand: Self.allow))
                }
                program.append(Instruction(code: Self.give, operand: Self.refuse))
            case Int(SYS_ioctl):
                program.append(
                    Instruction(
                        code: Self.jumpIfEqual, whenFalse: UInt8(clamping: 2 + 2 * ioctlRequests.count),
                        operand: UInt32(call)))
                // The lower half of the second argument: requests have 32 bits.
                program.append(Instruction(code: Self.loadWord, operand: 24))
                for request in ioctlRequests {
                    program.append(Instruction(code: Self.jumpIfEqual, whenFalse: 1, operand: request))
                    program.append(Instruction(code: Self.give, operand: Self.allow))
                }
                program.append(Instruction(code: Self.give, operand: Self.refuse))
            default:
                program.append(Instruction(code: Self.jumpIfEqual, whenFalse: 1, operand: UInt32(call)))
                program.append(Instruction(code: Self.give, operand: Self.allow))
            }
        }
        program.append(Instruction(code: Self.give, operand: Self.refuse))
        self.program = program
    }

    /// Applies the filter to every thread of the process, or to the calling one alone, for ever; no program that it starts
    /// gains privileges.
    public func apply(toAllThreads: Bool = true) throws(SystemError) {
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
