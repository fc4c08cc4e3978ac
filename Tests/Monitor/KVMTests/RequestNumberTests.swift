import KVM
import Testing

@Suite struct RequestNumberTests {
    @Test("a request is KVM's own, and listed once: for a running guest, or for making one")
    func lists() {
        let all = RequestNumbers.ofRunningGuest + RequestNumbers.ofMaking
        // The type of KVM's requests (asm-generic/ioctl.h, bits 8 to 15) is KVMIO.
        #expect(all.allSatisfy { $0 >> 8 & 0xff == 0xae })
        #expect(Set(all).count == all.count)
        // KVM_RUN, of the kernel's own headers.
        #expect(RequestNumbers.ofRunningGuest.contains(0xae80))
        #expect(!RequestNumbers.ofMaking.contains(0xae80))
    }
}
