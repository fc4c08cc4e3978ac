import NetworkAddress

extension NetworkDevice {
    /// Moves the driver's frames to the socket until there are none, or the socket is full.
    ///
    /// Frames are gathered so that many small ones cost one write; a chain is used once its frame is gathered. While
    /// the socket takes nothing, no chain is taken either: it says when it is ready again.
    func transmit(
        _ queue: inout VirtQueue, _ frames: inout FrameBuffer, to socket: CInt
    ) throws(QueueError) -> ServiceOutcome {
        var passed = Statistics()
        defer { count { $0.add(passed) } }
        var left = Self.batchLimit
        while left > 0 {
            guard drain(&frames, to: socket) else { return .done }
            var gathered = false
            while left > 0, frames.hasRoom {
                guard var chain = try queue.nextChain() else { break }
                let count = try gather(&chain, into: &frames)
                queue.complete(chain, written: 0)
                if let count {
                    passed.sentFrames += 1
                    passed.sentBytes += count
                } else {
                    passed.droppedFrames += 1
                }
                gathered = true
                left -= 1
            }
            if !gathered, !queue.enableNotifications() { return .done }
        }
        return drain(&frames, to: socket) ? .moreWork : .done
    }

    /// - Returns: Whether everything is written. After the peer is gone, bytes go nowhere.
    private func drain(_ frames: inout FrameBuffer, to socket: CInt) -> Bool {
        guard isConnected else {
            frames.reset()
            return true
        }
        switch frames.drain(to: socket) {
        case .moved: return true
        case .blocked: return false
        case .closed:
            disconnect()
            frames.reset()
            return true
        }
    }

    /// Copies the chain's frame behind those that wait, and completes its checksum in the copy.
    /// - Returns: The frame's length; nil if it is dropped.
    private func gather(_ chain: inout DescriptorChain, into frames: inout FrameBuffer) throws(QueueError) -> Int? {
        guard let header = chain.readValue(NetworkHeader()) else { throw .malformedRequest }
        let count = chain.readableByteCount
        guard (EthernetFrame.headerCount...EthernetFrame.limit).contains(count), header.segmentation == 0 else {
            return nil
        }
        let isSent = unsafe frames.append(count) { frame in
            guard unsafe chain.read(into: frame) == count, let start = frame.baseAddress else { return false }
            guard header.flags & NetworkHeader.needsChecksum != 0 else { return true }
            return unsafe InternetChecksum.complete(
                start, count: count, start: header.checksumStart, offset: header.checksumOffset)
        }
        return isSent ? count : nil
    }
}
