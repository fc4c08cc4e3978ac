import Glibc

/// Carries bytes between two sockets until one of them ends or `isOver` says so.
func carry(_ one: CInt, _ other: CInt, until isOver: () -> Bool) {
    var buffer = [UInt8](repeating: 0, count: 32 << 10)
    while !isOver() {
        var set = [one, other].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        guard poll(&set, 2, 200) >= 0 else { return }
        for (index, target) in [(0, other), (1, one)] where set[index].revents != 0 {
            let count = recv(set[index].fd, &buffer, buffer.count, CInt(MSG_DONTWAIT))
            if count == 0 || count < 0 && errno != EAGAIN { return }
            var sent = 0
            while sent < count {
                let written = buffer[sent..<count].withUnsafeBytes {
                    send(target, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
                }
                if written < 0, errno != EAGAIN { return }
                if written < 0 { usleep(1000) } else { sent += written }
            }
        }
    }
}
