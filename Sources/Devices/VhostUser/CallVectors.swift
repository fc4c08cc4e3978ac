import LinuxSystem
import Synchronization
import Virtio

/// A queue's interrupts are a descriptor of the front-end; vector and queue have the same number.
final class CallVectors: InterruptVectors {
    private let calls: Mutex<[SharedDescriptor?]>

    init(count: Int) { calls = Mutex(Array(repeating: nil, count: count)) }

    func set(_ call: SharedDescriptor?, vector: Int) {
        calls.withLock { if $0.indices.contains(vector) { $0[vector] = call } }
    }

    func trigger(_ vector: Int) -> Bool {
        let call = calls.withLock { $0.indices.contains(vector) ? $0[vector] : nil }
        if let call {
            var one: UInt64 = 1
            // A counter that is full will be read, and anything else is the front-end's loss.
            unsafe withUnsafeBytes(of: &one) { bytes in _ = try? unsafe call.value.writeAll(bytes) }
        }
        return true
    }
}
