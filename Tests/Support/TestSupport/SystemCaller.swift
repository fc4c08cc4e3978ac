import CLinux
import SystemPackage

/// Who makes system calls for ``Doors``: this thread, or one of another process.
public protocol SystemCaller {
    /// - Returns: The kernel's answer: a result, or the number of an error, negative.
    func call(_ number: CInt, _ arguments: [CallArgument]) throws -> Int
}

/// What a system call is given.
public enum CallArgument {
    case number(Int)
    /// The address of a copy of these bytes.
    case bytes([UInt8])

    /// The address of a path, which ends with a null byte.
    static func path(_ path: FilePath) -> CallArgument { .bytes(Array(path.string.utf8) + [0]) }
}

extension CallArgument: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int) { self = .number(value) }
}

/// The calling thread.
struct OwnCalls: SystemCaller {
    func call(_ number: CInt, _ arguments: [CallArgument]) -> Int {
        var copies: [UnsafeMutableRawBufferPointer] = []
        defer { for copy in copies { copy.deallocate() } }
        var values = arguments.map { argument -> UInt in
            switch argument {
            case .number(let number): return UInt(bitPattern: number)
            case .bytes(let bytes):
                let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
                copy.copyBytes(from: bytes)
                copies.append(copy)
                return UInt(bitPattern: copy.baseAddress)
            }
        }
        while values.count < 5 { values.append(0) }
        return linux_syscall(Int(number), values[0], values[1], values[2], values[3], values[4])
    }
}
