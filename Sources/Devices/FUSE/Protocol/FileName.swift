import SystemPackage

/// One component of a path: neither empty nor `.` nor `..`, without a slash. So a call that takes it beside the
/// descriptor of a folder stays in that folder.
struct FileName: Equatable {
    /// With the NUL that system calls want.
    let bytes: [UInt8]

    /// The name of what has no known name.
    static let none = FileName(unchecked: [0])
    private init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    /// - Throws: `EINVAL` for what is no component, `ENAMETOOLONG` above 255 bytes.
    init(_ text: UnsafeRawBufferPointer) throws(Errno) {
        guard text.count <= 255 else { throw .fileNameTooLong }
        let slash = UInt8(ascii: "/")
        let dot = UInt8(ascii: ".")
        let isDots = unsafe text.count <= 2 && text.allSatisfy { $0 == dot }
        guard !isDots, unsafe !text.contains(slash), unsafe !text.contains(0) else { throw .invalidArgument }
        bytes = unsafe [UInt8](unsafeUninitializedCapacity: text.count + 1) { buffer, count in
            unsafe UnsafeMutableRawBufferPointer(buffer).copyMemory(from: text)
            unsafe buffer[text.count] = 0
            count = text.count + 1
        }
    }

    /// Calls `body` with the name as C has it.
    func withAddress<R>(_ body: (UInt) throws(Errno) -> R) throws(Errno) -> R {
        // SAFETY: a number, used by system calls that `body` makes while the array lives.
        try unsafe bytes.withUnsafeBufferPointer { buffer throws(Errno) in
            try body(UInt(bitPattern: buffer.baseAddress))
        }
    }
}
