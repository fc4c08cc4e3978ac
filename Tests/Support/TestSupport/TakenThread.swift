import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// A thread of another process in whose place the test makes system calls (ptrace(2)), as somebody does who has taken
/// it over: the kernel judges each by the thread's own filters and limits.
///
/// To be used by the thread that made it, and released by it. The process stands still at no other thread.
public final class TakenThread: SystemCaller {
    /// Whether this process may take threads of confined ones: their memory is hidden from everybody but root.
    public static let isPossible: Bool = {
        guard let status = try? FileSystem.read("/proc/self/status", limit: 1 << 16) else { return false }
        let line = String(decoding: status, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("CapEff:\t") }
        // CAP_SYS_PTRACE
        return line.flatMap { UInt64($0.dropFirst(8), radix: 16) }.map { $0 >> 19 & 1 == 1 } ?? false
    }()

    private let thread: CInt
    private let saved: [UInt64]
    /// Where a `syscall` instruction is in the process's code, and where there is room for what calls point to.
    private let instruction: UInt64
    private var room: UInt64 = 0
    private static let roomSize = 1 << 16

    // Places in struct user_regs_struct (sys/user.h), which has 27 words.
    private enum Register {
        static let result = 10, number = 15, instruction = 16
        static let arguments = [14, 13, 12, 7, 9, 8]
    }
    // linux/ptrace.h
    private enum Request {
        static let peek: UInt = 2
        static let poke: UInt = 5
        static let proceed: UInt = 7
        static let getRegisters: UInt = 12
        static let setRegisters: UInt = 13
        static let detach: UInt = 17
        static let proceedToCall: UInt = 24
        static let seize: UInt = 0x4206
        static let interrupt: UInt = 0x4207
    }
    private static let callStop = SIGTRAP | 0x80

    /// Stops the thread. It must be waiting in a system call, as a thread of a process at rest is.
    public init(_ thread: CInt) throws {
        self.thread = thread
        // PTRACE_O_TRACESYSGOOD: stops at calls differ from others.
        try Self.request(Request.seize, thread, data: 1)
        try Self.request(Request.interrupt, thread)
        _ = try Self.stop(of: thread)
        saved = try Self.registers(of: thread)
        instruction = saved[Register.instruction] - 2
        var word: UInt64 = 0
        try withUnsafeMutablePointer(to: &word) {
            try Self.request(Request.peek, thread, address: UInt(instruction), data: UInt(bitPattern: $0))
        }
        guard word & 0xffff == 0x050f else {
            throw SystemError("find a system call of thread \(thread)", nil, .ioError)
        }
        let place = try perform(SYS_mmap, [0, UInt64(Self.roomSize), 3, 0x22, .max, 0])
        guard place > 0 else { throw SystemError("find room in thread \(thread)", nil, .noMemory) }
        room = UInt64(place)
    }

    public func call(_ number: CInt, _ arguments: [CallArgument]) throws -> Int {
        var next = room
        let values = try arguments.map { argument -> UInt64 in
            switch argument {
            case .number(let number): return UInt64(bitPattern: Int64(number))
            case .bytes(let bytes):
                let place = next
                for start in stride(from: 0, to: bytes.count, by: 8) {
                    let word = bytes[start..<min(start + 8, bytes.count)].reversed().reduce(0) { $0 << 8 | UInt($1) }
                    try Self.request(Request.poke, thread, address: UInt(next), data: word)
                    next += 8
                }
                return place
            }
        }
        return try perform(number, values)
    }

    /// Lets the thread continue where it was.
    public func release() throws {
        _ = try perform(SYS_munmap, [room, UInt64(Self.roomSize)])
        // From a stop after which the kernel repeats the call that was interrupted.
        try Self.request(Request.interrupt, thread)
        try Self.request(Request.proceed, thread)
        _ = try Self.stop(of: thread)
        try Self.set(saved, of: thread)
        try Self.request(Request.detach, thread)
    }

    private func perform(_ number: CInt, _ arguments: [UInt64]) throws -> Int {
        var registers = saved
        registers[Register.instruction] = instruction
        registers[Register.result] = UInt64(number)
        // Nothing to repeat.
        registers[Register.number] = .max
        for (place, value) in zip(Register.arguments, arguments) { registers[place] = value }
        try Self.set(registers, of: thread)
        for _ in 0..<2 {
            try Self.request(Request.proceedToCall, thread)
            guard try Self.stop(of: thread) == Self.callStop else {
                throw SystemError("call in thread \(thread)", nil, .interrupted)
            }
        }
        let result = Int(bitPattern: UInt(try Self.registers(of: thread)[Register.result]))
        // A filter that refuses a call and tells of it leaves the number where it was, and a signal. The handler, which
        // turns that into an error, is spared it.
        guard result == Int(number) else { return result }
        try Self.request(Request.proceed, thread)
        guard try Self.stop(of: thread) == SIGSYS else {
            throw SystemError("refuse a call of thread \(thread)", nil, .interrupted)
        }
        return -Int(ENOSYS)
    }

    private static func request(_ request: UInt, _ thread: CInt, address: UInt = 0, data: UInt = 0) throws {
        let result = linux_syscall(Int(SYS_ptrace), request, UInt(thread), address, data, 0)
        guard result >= 0 else {
            throw SystemError(
                "ask ptrace(2) for request \(request) of thread \(thread)", nil, Errno(rawValue: CInt(-result)))
        }
    }

    private static func registers(of thread: CInt) throws -> [UInt64] {
        var registers = [UInt64](repeating: 0, count: 27)
        try registers.withUnsafeMutableBytes {
            try request(Request.getRegisters, thread, data: UInt(bitPattern: $0.baseAddress))
        }
        return registers
    }

    private static func set(_ registers: [UInt64], of thread: CInt) throws {
        try registers.withUnsafeBytes {
            try request(Request.setRegisters, thread, data: UInt(bitPattern: $0.baseAddress))
        }
    }

    /// The signal that the thread stops with.
    private static func stop(of thread: CInt) throws -> CInt {
        let deadline = MonotonicClock.now.advanced(byMilliseconds: 10_000)
        while MonotonicClock.now < deadline {
            var status: CInt = 0
            // __WALL: threads too.
            if waitpid(thread, &status, WNOHANG | 0x4000_0000) == thread {
                guard status & 0xff == 0x7f else { break }
                return status >> 8 & 0xff
            }
            usleep(200)
        }
        throw SystemError("stop thread \(thread)", nil, .timedOut)
    }
}
