/// The header in front of every frame (Virtio 1.2, section 5.1.6), as copied out of the guest.
struct NetworkHeader: BitwiseCopyable {
    static let byteCount = 12
    /// The driver asks the device to complete a checksum.
    static let needsChecksum: UInt8 = 1
    /// The device says that the checksums of a frame are right.
    static let dataIsValid: UInt8 = 2

    var flags: UInt8 = 0
    var segmentation: UInt8 = 0
    private var headerCount: UInt16 = 0
    private var segmentSize: UInt16 = 0
    private var rawChecksumStart: UInt16 = 0
    private var rawChecksumOffset: UInt16 = 0
    /// Written apart, when the number of buffers is known.
    private var bufferCount: UInt16 = 0

    var checksumStart: Int { Int(UInt16(littleEndian: rawChecksumStart)) }
    var checksumOffset: Int { Int(UInt16(littleEndian: rawChecksumOffset)) }
}
