import Glibc
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
        for call in 0..<500 where call != 9 && call != 41 && call != 16 {
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
}
