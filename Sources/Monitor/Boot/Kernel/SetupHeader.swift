/// The setup header of a bzImage (Documentation/arch/x86/boot.rst): where its parts are, and what it asks of a loader.
struct SetupHeader: Equatable {
    /// The header starts here, in the file and in the zero page.
    static let offset = 0x1f1
    /// As far as this reads; also the least that such a file has.
    static let prefixCount = 0x290

    enum Problem: Error, Equatable {
        case notABzImage
        case tooOld(version: UInt16)
        case no64BitEntry
        case damaged(String)
    }

    /// The header's bytes, which a loader hands on to the kernel.
    var bytes: [UInt8]
    /// Where the protected-mode part starts in the file.
    var protectedOffset: UInt64
    /// The longest command line, in bytes, without the zero at its end.
    var commandLineLimit: Int
    /// The highest address that the initial RAM disk may reach.
    var initialRAMDiskLimit: UInt64
    var preferredAddress: UInt64
    /// What the kernel needs from its load address on, in bytes, to unpack itself.
    var initialSize: UInt64
    /// The packed kernel in the file, without the size that the build appends.
    var payload: Range<UInt64>
    /// In bytes, as the build appended it; must be checked against what unpacking yields.
    let payloadSizeOffset: UInt64

    /// - Parameters:
    ///   - prefix: The first bytes of the file.
    ///   - fileSize: In bytes.
    init(_ prefix: ByteReader, fileSize: UInt64) throws(Problem) {
        guard prefix.load(UInt32.self, at: 0x202) == 0x5372_6448, prefix.load(UInt16.self, at: 0x1fe) == 0xaa55,
            let version = prefix.load(UInt16.self, at: 0x206), let length = prefix.load(UInt8.self, at: 0x201)
        else { throw .notABzImage }
        guard version >= 0x20c else { throw .tooOld(version: version) }
        let end = 0x202 + UInt64(length)
        guard end >= 0x264, let header = unsafe prefix.slice(at: UInt64(Self.offset), count: end - UInt64(Self.offset)),
            let loadFlags = prefix.load(UInt16.self, at: 0x236), let limit = prefix.load(UInt32.self, at: 0x238),
            let ramDiskLimit = prefix.load(UInt32.self, at: 0x22c), let sectors = prefix.load(UInt8.self, at: 0x1f1),
            let payloadOffset = prefix.load(UInt32.self, at: 0x248),
            let payloadCount = prefix.load(UInt32.self, at: 0x24c),
            let preferred = prefix.load(UInt64.self, at: 0x258), let size = prefix.load(UInt32.self, at: 0x260)
        else { throw .damaged("its header ends too early") }
        guard loadFlags & 1 != 0 else { throw .no64BitEntry }
        unsafe bytes = [UInt8](header)
        protectedOffset = (UInt64(sectors == 0 ? 4 : sectors) + 1) * 512
        guard protectedOffset < fileSize else { throw .damaged("it ends before its second part") }
        commandLineLimit = min(Int(limit), 4095)
        initialRAMDiskLimit = UInt64(ramDiskLimit)
        preferredAddress = preferred
        initialSize = UInt64(size)
        let start = protectedOffset + UInt64(payloadOffset)
        guard payloadCount > 8, start < fileSize, UInt64(payloadCount) <= fileSize - start else {
            throw .damaged("its packed part is outside the file")
        }
        payload = start..<start + UInt64(payloadCount) - 4
        payloadSizeOffset = payload.upperBound
    }
}
