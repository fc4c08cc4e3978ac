import CLinux
import Glibc
import Reporting

/// Bytes from the kernel's random number generator, fit for keys.
public func randomBytes(count: Int) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        while initialized < count {
            let result = unsafe getrandom(buffer.baseAddress.map { unsafe $0 + initialized }, count - initialized, 0)
            if result > 0 { initialized += result }
        }
    }
}

/// Random text of lower-case hexadecimal digits, two a byte.
public func randomIdentifier(bytes count: Int = 8) -> String { hexadecimal(randomBytes(count: count)) }
