import LinuxSystem

extension SSHSession {
    /// How long a server may take to notice that a command has ended, in milliseconds.
    private static let settlingTime: Int64 = 3_000

    /// Waits until the server knows that the command of ``leftChannel`` has ended: until it has told its exit status,
    /// other than 0, or closed the channel. dropbear (2022.83) closes a channel that is just being opened when it
    /// learns of the end of another channel's command, so that the next command would be lost.
    func settle() throws(SSHError) {
        guard let channel = leftChannel else { return }
        defer { leftChannel = nil }
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        let end = MonotonicClock.now.advanced(byMilliseconds: Self.settlingTime)
        while channel.exitStatus == 0, !channel.isClosed, MonotonicClock.now < end {
            // What processes that were left behind still print is nobody's.
            var arrived = false
            for stream in [SSHChannel.Stream.output, .error] {
                if let count = try channel.read(stream, into: &buffer), count > 0 { arrived = true }
            }
            if arrived || channel.exitStatus != 0 { continue }
            try wait(.channel, for: .readable, pause: max(1, end.milliseconds(since: .now)))
        }
    }
}
