import KVM
import Testing

@Suite struct ProcessorFeaturesTests {
    private let host = ProcessorFeatures([
        .init(function: 0, eax: 0x1f),
        .init(function: 1, eax: 0x806f8, ebx: 0xff10_0800, ecx: 0x0000_8028),
        .init(function: 4, index: 0, isIndexed: true, eax: 0xfc00_c121),
        .init(function: 0x4000_0000, eax: 0x4000_0001),
        .init(function: 0x4000_0001, eax: 1),
        .init(function: 0x8000_0001, ecx: 4),
        .init(function: 0x8000_0007, edx: 0x100),
    ])
    private let hyperThreading: UInt32 = 1 << 28

    @Test("each processor has its own identifier, and the deadline timer that KVM does not report")
    func identifier() throws {
        let leaf = try #require(host.forProcessor(2, of: 4)[1])
        #expect(leaf.ebx >> 24 == 2)
        #expect(leaf.ebx >> 16 & 0xff == 4)
        #expect(leaf.ecx & 0x8100_0000 == 0x8100_0000)
        #expect(leaf.edx & hyperThreading != 0)
    }

    @Test("virtualization extensions and performance capabilities are not passed on")
    func masked() throws {
        let features = host.forProcessor(0, of: 1)
        let basic = try #require(features[1])
        #expect(basic.ecx & 0x8028 == 0)
        #expect(features[0x8000_0001]?.ecx == 0)
        #expect(basic.edx & hyperThreading == 0)
    }

    @Test("the topology is one socket of single-threaded cores", arguments: [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3)])
    func topology(count: Int, bits: UInt32) throws {
        let features = host.forProcessor(count - 1, of: count)
        let core = try #require(features[0xb, 1])
        #expect(core.eax == bits && core.ebx == UInt32(count) && core.edx == UInt32(count - 1))
        #expect(features[0xb, 0]?.ebx == 1)
    }

    @Test("the counter's frequency is told only where the counter is invariant")
    func frequency() {
        #expect(host.forProcessor(0, of: 1, tscKilohertz: 2_500_000)[0x4000_0010]?.eax == 2_500_000)
        let variant = ProcessorFeatures(host.leaves.filter { $0.function != 0x8000_0007 })
        #expect(variant.forProcessor(0, of: 1, tscKilohertz: 2_500_000)[0x4000_0010] == nil)
    }
}
