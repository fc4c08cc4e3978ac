extension NetworkDevice {
    /// Moves frames from the socket into the driver's buffers until one of them runs out.
    ///
    /// Without buffers nothing is read, so that the sender is held up: the driver's next notification goes on here.
    func receive(
        _ queue: inout VirtQueue, _ frames: inout FrameBuffer, features: VirtioFeatures, from socket: CInt
    ) throws(QueueError) -> ServiceOutcome {
        var passed = Statistics()
        defer { count { $0.add(passed) } }
        var left = Self.batchLimit
        while left > 0 {
            switch frames.next() {
            case .frame(let frame):
                switch try unsafe deliver(frame, to: &queue, features) {
                case .delivered:
                    passed.receivedFrames += 1
                    passed.receivedBytes += frame.count
                case .dropped: passed.droppedFrames += 1
                case .noBuffers:
                    guard queue.enableNotifications() else { return .done }
                    // Counted too: buffers that come one by one and never suffice must not keep this thread.
                    left -= 1
                    continue
                }
                frames.consume(frame.count)
                left -= 1
            case .oversized:
                passed.droppedFrames += 1
                left -= 1
            case .incomplete:
                guard isConnected else { return .done }
                switch frames.fill(from: socket) {
                case .moved: break
                case .blocked: return .done
                case .closed:
                    disconnect()
                    return .done
                }
            case .invalid:
                disconnect()
                frames.reset()
                return .done
            }
        }
        return .moreWork
    }

    private enum Delivery {
        case delivered
        case dropped
        case noBuffers
    }

    /// Copies one frame into as many buffers as it needs (Virtio 1.2, section 5.1.6.4), or into none.
    private func deliver(
        _ frame: UnsafeRawBufferPointer, to queue: inout VirtQueue, _ features: VirtioFeatures
    ) throws(QueueError) -> Delivery {
        let mergeable = features.contains(Feature.mergeableBuffers)
        var header = NetworkHeader()
        // The switch behind the socket completes every checksum, or got the frame from a device that did.
        if features.contains(Feature.guestChecksum) { header.flags = NetworkHeader.dataIsValid }
        var rest = unsafe frame
        var places: (UnsafeMutableRawPointer, UnsafeMutableRawPointer)?
        var chains: UInt16 = 0
        while true {
            guard var chain = try queue.nextChain() else {
                queue.unrecord(chains)
                return .noBuffers
            }
            guard chain.readableByteCount == 0 else { throw .malformedRequest }
            if unsafe places == nil {
                unsafe withUnsafeBytes(of: &header) { bytes in
                    // Without its last field, which counts the buffers and is filled in at the end.
                    _ = unsafe chain.write(UnsafeRawBufferPointer(rebasing: bytes[..<(NetworkHeader.byteCount - 2)]))
                }
                guard let low = unsafe chain.takeFirstWritableByte(), let high = unsafe chain.takeFirstWritableByte()
                else { throw .malformedRequest }
                unsafe places = (low, high)
            }
            let written = unsafe chain.write(rest)
            unsafe rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            chains += 1
            let total = chain.writtenByteCount
            queue.record(chain, written: total)
            if unsafe rest.isEmpty { break }
            // Buffers that cannot hold the frame even all together never will.
            guard mergeable, chains < queue.size else {
                queue.unrecord(chains)
                return .dropped
            }
        }
        if let (low, high) = unsafe places {
            unsafe low.storeBytes(of: UInt8(truncatingIfNeeded: chains), as: UInt8.self)
            unsafe high.storeBytes(of: UInt8(truncatingIfNeeded: chains >> 8), as: UInt8.self)
        }
        queue.publish()
        return .delivered
    }
}
