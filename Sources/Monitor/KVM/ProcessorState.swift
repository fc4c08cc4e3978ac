/// The registers that decide where and in which mode a processor starts.
public struct ProcessorState: Equatable, Sendable {
    /// A segment register with the descriptor that it caches (Intel SDM volume 3, section 3.4.5).
    public struct Segment: Equatable, Sendable {
        public var selector: UInt16
        /// Access byte in bits 0 to 7, flags in bits 12 to 15, as in the upper half of a descriptor.
        public var attributes: UInt16
        public var base: UInt64
        /// In bytes, minus one.
        public var limit: UInt32

        public init(selector: UInt16, attributes: UInt16, base: UInt64 = 0, limit: UInt32 = .max) {
            self.selector = selector
            self.attributes = attributes
            self.base = base
            self.limit = limit
        }
    }

    /// Where a descriptor table is.
    public struct Table: Equatable, Sendable {
        public var base: UInt64
        /// In bytes, minus one.
        public var limit: UInt16
        public init(base: UInt64, limit: UInt16) {
            self.base = base
            self.limit = limit
        }
    }

    public var rip: UInt64
    public var rsp: UInt64 = 0
    public var rax: UInt64 = 0
    public var rbx: UInt64 = 0
    public var rcx: UInt64 = 0
    public var rdx: UInt64 = 0
    public var rsi: UInt64 = 0
    public var rflags: UInt64 = 2
    public var cr0: UInt64
    public var cr3: UInt64 = 0
    public var cr4: UInt64 = 0
    public var efer: UInt64 = 0
    public var code: Segment
    public var data: Segment
    public var task: Segment
    public var descriptorTable = Table(base: 0, limit: 0)
    public var interruptTable = Table(base: 0, limit: 0)

    public init(rip: UInt64, cr0: UInt64, code: Segment, data: Segment, task: Segment) {
        self.rip = rip
        self.cr0 = cr0
        self.code = code
        self.data = data
        self.task = task
    }

    /// Flat 32-bit protected mode without paging.
    public static func protected(rip: UInt64) -> ProcessorState {
        ProcessorState(
            rip: rip, cr0: 0x11, code: Segment(selector: 0x08, attributes: 0xc09b),
            data: Segment(selector: 0x10, attributes: 0xc093),
            task: Segment(selector: 0x18, attributes: 0x008b, limit: 0x67))
    }
}
