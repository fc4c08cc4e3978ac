/// Entries of a folder as getdents64(2) gave them. One call of the host fills it for several requests of a guest.
@safe final class FolderBuffer {
    static let byteCount = 32 << 10
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: FolderBuffer.byteCount, alignment: 8)

    deinit { unsafe bytes.deallocate() }
}
