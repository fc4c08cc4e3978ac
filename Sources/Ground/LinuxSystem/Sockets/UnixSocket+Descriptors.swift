import CLinux
import Glibc

// Descriptors travel beside the bytes of a stream socket (SCM_RIGHTS, unix(7)).
extension UnixSocket {
    /// Sends all of `bytes`, which must not be empty, and with the first of them copies of `descriptors`: at most 16.
    public static func send(
        _ bytes: [UInt8], with descriptors: [CInt], through socket: borrowing OwnedDescriptor
    ) throws(SystemError) {
        let count = try retrying("send") {
            unsafe bytes.withUnsafeBytes { bytes in
                unsafe descriptors.withUnsafeBufferPointer {
                    unsafe linux_send_descriptors(
                        socket.rawValue, bytes.baseAddress, bytes.count, $0.baseAddress, $0.count)
                }
            }
        }
        try socket.writeAll(Array(bytes.dropFirst(count)))
    }

    /// Receives at most `count` bytes; none at the end of the stream.
    /// - Parameter limit: More descriptors than this, at most 16, in one message are closed, and an error.
    /// - Returns: What came, with descriptors that the caller owns from then on. They are close-on-exec.
    public static func receive(
        upTo count: Int, descriptorLimit limit: Int, through socket: borrowing OwnedDescriptor
    ) throws(SystemError) -> (bytes: [UInt8], descriptors: [CInt]) {
        var bytes = [UInt8](repeating: 0, count: count)
        var descriptors = [CInt](repeating: -1, count: limit)
        var found = 0
        let received = try retrying("receive") {
            unsafe bytes.withUnsafeMutableBytes { bytes in
                unsafe descriptors.withUnsafeMutableBufferPointer {
                    unsafe linux_receive_descriptors(
                        socket.rawValue, bytes.baseAddress, bytes.count, $0.baseAddress, $0.count, &found)
                }
            }
        }
        return (Array(bytes.prefix(received)), Array(descriptors.prefix(found)))
    }
}
