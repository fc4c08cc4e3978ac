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
}
