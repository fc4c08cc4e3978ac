import CLinux
import Glibc
import Synchronization
import SystemPackage
import Testing

@testable import LinuxSystem

/// Runs filters as the kernel does, by an interpreter of the few instructions of classic BPF that they use.
@Suite struct SystemCallFilterTests {
    private func verdict(
        _ filter: SystemCallFilter, call: Int, architecture: UInt32 = 0xc000_003e, arguments: [UInt64] = []
    ) throws -> UInt32 {
        // struct seccomp_data: number, architecture, instruction pointer, six arguments.
        var data = [UInt32(truncatingIfNeeded: call), architecture, 0, 0]
        for index in 0..<6 {
            let argument = arguments.indices.contains(index) ? arguments[index] : 0
            data += [UInt32(truncatingIfNeeded: argument), UInt32(truncatingIfNeeded: argument >> 32)]
        }
        var accumulator: UInt32 = 0
        var position = 0
        while filter.program.indices.contains(position) {
            let instruction = filter.program[position]
            position += 1
            func jump(_ condition: Bool) { position += Int(condition ? instruction.whenTrue : instruction.whenFalse) }
            switch instruction.code {
            case 0x20: accumulator = data[Int(instruction.operand) / 4]
            case 0x05: position += Int(instruction.operand)
            case 0x15: jump(accumulator == instruction.operand)
            case 0x35: jump(accumulator >= instruction.operand)
            case 0x45: jump(accumulator & instruction.operand != 0)
            case 0x06: return instruction.operand
            default: throw SystemError("interpret", nil, .invalidArgument)
            }
        }
        throw SystemError("find the end of the program", nil, .invalidArgument)
    }

    private let filter = SystemCallFilter(allowing: [0, 1, 9, 10, 41, 60], socketFamilies: [AF_UNIX, AF_INET])

    @Test("lets listed calls pass and refuses all others") func listed() throws {
        for call in [0, 1, 60] { #expect(try verdict(filter, call: call) == SystemCallFilter.allow) }
        for call in [2, 3, 56, 57, 59, 101, 435] { #expect(try verdict(filter, call: call) == SystemCallFilter.refuse) }
    }

    @Test("ends a process that calls by another architecture's numbers") func architectures() throws {
        #expect(try verdict(filter, call: 1, architecture: 0x4000_0003) == SystemCallFilter.kill)
        #expect(try verdict(filter, call: 1 | 0x4000_0000) == SystemCallFilter.kill)
    }

    @Test("lets no memory become executable", arguments: [9, 10]) func executable(call: Int) throws {
        #expect(try verdict(filter, call: call, arguments: [0, 4096, 3]) == SystemCallFilter.allow)
        #expect(try verdict(filter, call: call, arguments: [0, 4096, 5]) == SystemCallFilter.refuse)
        #expect(try verdict(filter, call: call, arguments: [0, 4096, 7]) == SystemCallFilter.refuse)
    }

    @Test("makes sockets of the listed families only") func sockets() throws {
        #expect(try verdict(filter, call: 41, arguments: [1]) == SystemCallFilter.allow)
        #expect(try verdict(filter, call: 41, arguments: [2]) == SystemCallFilter.allow)
        for family in [10, 16, 17] as [UInt64] {
            #expect(try verdict(filter, call: 41, arguments: [family]) == SystemCallFilter.refuse)
        }
    }

    @Test("a filter of hundreds of calls treats each by itself, in few steps") func many() throws {
        let listed = Set((0..<450).filter { $0 % 3 == 0 || (100..<180).contains($0) })
        let large = SystemCallFilter(
            allowing: Array(listed), socketFamilies: [AF_UNIX], ioctlRequests: (0..<40).map { 0xae00 + $0 })
        // What is judged by its arguments too has tests of its own: mmap, ioctl, socket, clone, fcntl, prctl, tgkill,
        // prlimit64.
        for call in 0..<500 where ![9, 16, 41, 56, 72, 157, 234, 302].contains(call) {
            let expected = listed.contains(call) ? SystemCallFilter.allow : SystemCallFilter.refuse
            #expect(try verdict(large, call: call) == expected, "call \(call)")
        }
        #expect(try verdict(filter, call: 16, arguments: [0, 0xae00]) == SystemCallFilter.refuse)
        let requests = SystemCallFilter(allowing: [16], ioctlRequests: [0xae00, 0x4020_ae46])
        #expect(try verdict(requests, call: 16, arguments: [0, 0x4020_ae46]) == SystemCallFilter.allow)
        #expect(try verdict(requests, call: 16, arguments: [0, 0xae01]) == SystemCallFilter.refuse)
    }

    @Test("refuses what libraries do without in silence, and never the way back from a refusal's signal")
    func quiet() throws {
        let filter = SystemCallFilter(allowing: [0, 435], refusingQuietly: [435, 436])
        #expect(try verdict(filter, call: 435) == SystemCallFilter.allow)
        #expect(try verdict(filter, call: 436) == SystemCallFilter.refuseQuietly)
        #expect(try verdict(filter, call: 437) == SystemCallFilter.refuse)
        #expect(try verdict(filter, call: 15) == SystemCallFilter.allow)
    }

    @Test("signals, limits, descriptors' owners and new processes are this process's own in every filter")
    func ownProcess() throws {
        let calls = [SYS_tgkill, SYS_prlimit64, SYS_fcntl, SYS_clone, SYS_prctl].map { Int($0) }
        let filter = SystemCallFilter(allowing: calls)
        func passes(_ call: Int, _ arguments: UInt64...) throws -> Bool {
            try verdict(filter, call: call, arguments: arguments) == SystemCallFilter.allow
        }
        let mine = UInt64(getpid())
        #expect(try passes(Int(SYS_tgkill), mine, mine + 3, 9))
        #expect(try !passes(Int(SYS_tgkill), mine + 1, mine + 1, 9))
        #expect(try passes(Int(SYS_prlimit64), 0, 7) && !passes(Int(SYS_prlimit64), mine + 1, 7))
        // F_GETFL, F_OFD_SETLK, F_DUPFD_CLOEXEC; F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY.
        for command in [3, 37, 1030] as [UInt64] { #expect(try passes(Int(SYS_fcntl), 5, command)) }
        for command in [8, 10, 15, 1024, 1026] as [UInt64] { #expect(try !passes(Int(SYS_fcntl), 5, command)) }
        // As the C library starts a thread; as fork(2) and vfork(2) do; and a thread in a name space of its own.
        #expect(try passes(Int(SYS_clone), 0x003d_0f00))
        for flags in [0x0120_0011, 0x4111, 0x1000_0011, 0x103d_0f00, 0x003d_0f80] as [UInt64] {
            #expect(try !passes(Int(SYS_clone), flags), "\(flags)")
        }
        // PR_SET_NAME; PR_SET_DUMPABLE, PR_SET_PTRACER.
        #expect(try passes(Int(SYS_prctl), 15))
        for option in [4, 0x5961_6d61] as [UInt64] { #expect(try !passes(Int(SYS_prctl), option)) }
    }

    @Test("threads are made by clone(2) alone: clone3(2), whose flags no filter sees, is as if it were not there")
    func newThreads() throws {
        let makesThreads = SystemCallFilter(allowing: [Int(SYS_clone)])
        // ENOSYS is 38; with SECCOMP_RET_ERRNO, since the C library tries it for each thread.
        #expect(try verdict(makesThreads, call: 435, arguments: [0, 88]) == 0x0005_0026)
        #expect(try verdict(makesThreads, call: Int(SYS_clone), arguments: [0x003d_0f00]) == 0x7fff_0000)
        // Where no threads are made, it is named as any other call: with SECCOMP_RET_TRAP.
        #expect(try verdict(SystemCallFilter(allowing: [0]), call: 435, arguments: [0, 88]) == 0x0003_0026)
    }

    @Test("in a process with such a filter threads start, and no process does") func newThreadsOfProcess() async throws
    {
        await #expect(processExitsWith: .success) {
            let copy = linux_fork()
            if copy == 0 {
                // The copy has one thread; all that it does from here on is listed.
                let calls =
                    [
                        SYS_clone, SYS_mmap, SYS_munmap, SYS_mprotect, SYS_madvise, SYS_brk, SYS_mremap, SYS_futex,
                        SYS_rseq, SYS_set_robust_list, SYS_prctl, SYS_rt_sigprocmask, SYS_rt_sigaction,
                        SYS_sigaltstack, SYS_sched_getaffinity, SYS_sched_yield, SYS_gettid, SYS_getpid, SYS_exit,
                        SYS_exit_group, SYS_write, SYS_clock_gettime, SYS_getrandom,
                    ].map { Int($0) }
                guard (try? SystemCallFilter(allowing: calls).apply()) == true else { _exit(2) }
                let flag = Flag()
                do {
                    let thread = try Thread(name: "new") { flag.raise() }
                    thread.join()
                } catch { _exit(4) }
                guard flag.isRaised else { _exit(5) }
                // struct clone_args of 88 bytes, for a process; then fork(2)'s flags.
                var arguments = [UInt64](repeating: 0, count: 11)
                arguments[4] = UInt64(SIGCHLD)
                let other = arguments.withUnsafeMutableBytes {
                    linux_syscall(435, UInt(bitPattern: $0.baseAddress), 88, 0, 0, 0)
                }
                if other == 0 { _exit(0) }
                guard other == -38 else { _exit(6) }
                let child = linux_syscall(Int(SYS_clone), UInt(SIGCHLD), 0, 0, 0, 0)
                if child == 0 { _exit(0) }
                _exit(child == -38 ? 0 : 7)
            }
            var status: CInt = 0
            waitpid(pid_t(copy), &status, 0)
            exit(linux_exit_status(status))
        }
    }

    private final class Flag: Sendable {
        private let raised = Atomic(false)
        var isRaised: Bool { raised.load(ordering: .acquiring) }
        func raise() { raised.store(true, ordering: .releasing) }
    }

    @Test("conditions of one call hold together or instead of each other") func conditions() throws {
        // AF_INET, or AF_UNIX for datagrams.
        let sockets = SystemCallFilter(
            allowing: [41],
            conditions: [41: ArgumentCondition.isOneOf(0, [2, 10]).or(.isOneOf(0, [1]).and(.isOneOf(1, [2])))])
        for (family, kind, expected) in [(2, 1, true), (10, 2, true), (1, 2, true), (1, 1, false), (16, 2, false)] {
            let verdict = try verdict(sockets, call: 41, arguments: [UInt64(family), UInt64(kind)])
            #expect((verdict == SystemCallFilter.allow) == expected, "family \(family), kind \(kind)")
        }
    }

    @Test("a filter of a few refused calls lets everything else pass, but for what its conditions say")
    func refusing() throws {
        let filter = SystemCallFilter(
            refusing: [42], conditions: [16: .isNoneOf(1, [0x5452, 0x8901, 0x8902]), 41: .isOneOf(0, [1])])
        func passes(_ call: Int, _ arguments: UInt64...) throws -> Bool {
            let verdict = try verdict(filter, call: call, arguments: arguments)
            #expect(verdict == SystemCallFilter.allow || verdict == SystemCallFilter.refuseQuietly)
            return verdict == SystemCallFilter.allow
        }
        #expect(try passes(0) && passes(15) && passes(43) && passes(460) && !passes(42))
        for request in [0, 0x5421, 0x5451, 0x5453, 0x8900, 0x8903] as [UInt64] { #expect(try passes(16, 5, request)) }
        for request in [0x5452, 0x8901, 0x8902] as [UInt64] { #expect(try !passes(16, 5, request)) }
        #expect(try passes(41, 1) && !passes(41, 2))
    }

    @Test("only a kernel without filters is taken for one: every other failure is an error") func failures() throws {
        #expect(try SystemCallFilter.isApplied(0) { 0 })
        #expect(try !SystemCallFilter.isApplied(-Int(ENOSYS)) { 0 })
        #expect(try !SystemCallFilter.isApplied(-Int(EINVAL)) { -Int(EINVAL) })
        #expect(throws: SystemError.self) { try SystemCallFilter.isApplied(-Int(EINVAL)) { -Int(EFAULT) } }
        for result in [-Int(ENOMEM), -Int(EACCES), -Int(EPERM)] {
            #expect(throws: SystemError.self) { try SystemCallFilter.isApplied(result) { result } }
        }
        // A thread that does not follow.
        #expect(throws: SystemError("limit the system calls of thread 1234", nil, .resourceBusy)) {
            try SystemCallFilter.isApplied(1234) { 0 }
        }
    }
}
