import CLinux
import Glibc
public import SystemPackage

/// An ioctl number tied to the type of its argument, so that a mismatched pair does not compile.
public struct IoctlRequest<Argument: BitwiseCopyable>: Sendable {
    public let number: UInt
    public init(_ number: UInt) { self.number = number }
}

extension OwnedDescriptor {
    /// Performs `request`, again if a signal interrupts it. Not for `KVM_RUN`, to which `EINTR` is an answer.
    /// - Returns: The call's own result, never negative.
    @discardableResult
    public func perform<A>(_ request: IoctlRequest<A>, _ argument: inout A) throws(Errno) -> Int {
        while true {
            let result = unsafe withUnsafeMutablePointer(to: &argument) {
                unsafe linux_ioctl(rawValue, request.number, $0)
            }
            if result >= 0 { return result }
            let errno = Errno(rawValue: CInt(truncatingIfNeeded: -result))
            guard errno == .interrupted else { throw errno }
        }
    }

    /// Performs a request whose argument is a plain number.
    @discardableResult
    public func perform(_ number: UInt, value: UInt = 0) throws(Errno) -> Int {
        while true {
            let result = linux_ioctl_value(rawValue, number, value)
            if result >= 0 { return result }
            let errno = Errno(rawValue: CInt(truncatingIfNeeded: -result))
            guard errno == .interrupted else { throw errno }
        }
    }

    /// Performs a request whose argument is a structure with a flexible array, built by the caller.
    @discardableResult
    public func perform(_ number: UInt, pointer: UnsafeMutableRawPointer) throws(Errno) -> Int {
        while true {
            let result = unsafe linux_ioctl(rawValue, number, pointer)
            if result >= 0 { return result }
            let errno = Errno(rawValue: CInt(truncatingIfNeeded: -result))
            guard errno == .interrupted else { throw errno }
        }
    }
}
