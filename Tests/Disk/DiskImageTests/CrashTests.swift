import Glibc
import LinuxSystem
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import DiskImage

/// Remembers every change of a file, and can let one of them fail.
final class ChangeRecorder: ImageFileObserver {
    private struct State {
        var changes: [ImageFileChange] = []
        var failingIndex: Int?
        var isFull = false
        var isFullWhenSynchronizing = false
    }
    private let state: Mutex<State>

    /// - Parameter failingIndex: The change with this number, and every later one, is refused.
    init(failingIndex: Int? = nil) { state = Mutex(State(failingIndex: failingIndex)) }

    /// Whether the file system has no room.
    func setFull(_ isFull: Bool) { state.withLock { $0.isFull = isFull } }

    /// Whether the file system has accepted what it has no room for, and says so when it is to keep it.
    func setFullWhenSynchronizing(_ isFull: Bool) { state.withLock { $0.isFullWhenSynchronizing = isFull } }

    func willPerform(_ change: ImageFileChange) throws(SystemError) {
        if change != .synchronize, state.withLock({ $0.isFull }) { throw SystemError("write", nil, .noSpace) }
        if change == .synchronize, state.withLock({ $0.isFullWhenSynchronizing }) {
            throw SystemError("write", nil, .noSpace)
        }
        let fails = state.withLock { state in
            if let failing = state.failingIndex, state.changes.count >= failing { return true }
            state.changes.append(change)
            return false
        }
        if fails { throw SystemError("write", nil, .ioError) }
    }

    var changes: [ImageFileChange] { state.withLock { $0.changes } }
}

/// What a disk holds after each request, so that a crash can be judged.
struct DiskHistory {
    /// The content after a request, and the number of changes of the file up to then.
    struct Moment {
        var content: [UInt8]
        var changeCount: Int
        var isFlushed: Bool
    }
    var moments: [Moment]

    /// What each byte may be after a crash at which `changeCount` changes had begun: what it was at the last flush that
    /// had returned, or what a later request made of it.
    func violation(of content: [UInt8], changeCount: Int) -> String? {
        let first = moments.lastIndex { $0.isFlushed && $0.changeCount <= changeCount } ?? 0
        // The request that was under way counts as well.
        let last = moments.firstIndex { $0.changeCount >= changeCount } ?? moments.count - 1
        let allowed = moments[first...max(first, last)].map(\.content)
        for start in stride(from: 0, to: content.count, by: 512) {
            let sector = start..<min(start + 512, content.count)
            if allowed.contains(where: { Self.isEqual($0, content, sector) }) { continue }
            for index in sector where !allowed.contains(where: { $0[index] == content[index] }) {
                return "byte \(index) is \(content[index]); at the last flush it was \(moments[first].content[index])"
            }
        }
        return nil
    }

    private static func isEqual(_ left: [UInt8], _ right: [UInt8], _ range: Range<Int>) -> Bool {
        left.withUnsafeBytes { left in
            right.withUnsafeBytes { right in
                guard let left = left.baseAddress, let right = right.baseAddress else { return false }
                return memcmp(left + range.lowerBound, right + range.lowerBound, range.count) == 0
            }
        }
    }
}

@Suite struct CrashTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }
    static let size = 200_000

    /// Runs a workload and records it.
    private func run(
        _ layers: [DiskLayer], seed: UInt64, steps: Int, recorder: ChangeRecorder, content: [UInt8], grow: Bool = false
    ) throws -> (history: DiskHistory, error: DiskImageError?) {
        var generator = SeededGenerator(seed: seed)
        var truth = content
        var history = DiskHistory(moments: [.init(content: truth, changeCount: 0, isFlushed: true)])
        func note(flushed: Bool = false) {
            history.moments.append(.init(content: truth, changeCount: recorder.changes.count, isFlushed: flushed))
        }
        var seen: [(device: UInt64, inode: UInt64)] = []
        let disk = try DiskImage.open(layers[...], access: .readWrite, cacheBytes: 1, observer: recorder, seen: &seen)
        do throws(DiskImageError) {
            for _ in 0..<steps {
                let count = Int.random(in: 1...(Bool.random(using: &generator) ? 3000 : 30_000), using: &generator)
                let offset = Int.random(in: 0...(Self.size - count), using: &generator)
                switch Int.random(in: 0..<10, using: &generator) {
                case 0..<6:
                    // Never zero, so that a lost write shows.
                    let bytes = generator.bytes(count).map { $0 | 1 }
                    truth.replaceSubrange(offset..<(offset + count), with: bytes)
                    // Before the request as well: it may fail half done.
                    history.moments.append(.init(content: truth, changeCount: .max, isFlushed: false))
                    try disk.write(bytes, at: UInt64(offset))
                case 6:
                    truth.replaceSubrange(offset..<(offset + count), with: [UInt8](repeating: 0, count: count))
                    history.moments.append(.init(content: truth, changeCount: .max, isFlushed: false))
                    try disk.writeZeroes(at: UInt64(offset), count: UInt64(count), mayUnmap: count % 2 == 0)
                case 7, 8:
                    try disk.flush()
                    history.moments.append(.init(content: truth, changeCount: recorder.changes.count, isFlushed: true))
                    continue
                default: continue
                }
                history.moments[history.moments.count - 1].changeCount = recorder.changes.count
            }
            try disk.close()
            note(flushed: true)
        } catch {
            return (history, error)
        }
        return (history, nil)
    }

    private func makeDisk(clusterSize: Int, content: [UInt8]) throws -> [DiskLayer] {
        let base = try folder.file("base.raw", content)
        let path = folder("disk.qcow2")
        try Qemu.img(
            "create", "-f", "qcow2", "-o", "lazy_refcounts=on,cluster_size=\(clusterSize)", "-b", "base.raw", "-F",
            "raw",
            path.string)
        return [DiskLayer(path: path, format: .qcow2), DiskLayer(path: base, format: .raw)]
    }

    /// The file after a crash: all changes up to the last barrier, and any part of those behind it, sector by sector.
    private func crashImage(
        _ initial: [UInt8], _ changes: ArraySlice<ImageFileChange>, _ generator: inout SeededGenerator
    ) -> [UInt8] {
        var bytes = initial
        let barrier = changes.lastIndex(of: .synchronize) ?? changes.startIndex
        let chances: [Double] = [0, 0.1, 0.5, 0.9, 1]
        let chance = chances[Int.random(in: chances.indices, using: &generator)]
        for (index, change) in zip(changes.indices, changes) {
            let isDurable = index < barrier
            func survives() -> Bool { isDurable || Double.random(in: 0..<1, using: &generator) < chance }
            func grow(_ end: Int) { if bytes.count < end { bytes += [UInt8](repeating: 0, count: end - bytes.count) } }
            switch change {
            case .synchronize: break
            case .truncate(let size):
                guard survives() else { continue }
                grow(Int(size))
                bytes.removeLast(bytes.count - Int(size))
            case .zero(let offset, let count):
                guard survives() else { continue }
                for place in Int(offset)..<min(bytes.count, Int(offset + count)) { bytes[place] = 0 }
            case .write(let offset, let data):
                var done = 0
                while done < data.count {
                    let part = min(data.count - done, 512 - (Int(offset) + done) % 512)
                    if survives() {
                        grow(Int(offset) + done + part)
                        bytes.replaceSubrange(
                            (Int(offset) + done)..<(Int(offset) + done + part), with: data[done..<(done + part)])
                    }
                    done += part
                }
            }
        }
        return bytes
    }

    @Test(
        "after a crash at any instant the image is sound and no acknowledged flush is lost",
        arguments: [(512, 11), (4096, 12), (65536, 13)] as [(Int, UInt64)])
    func crash(clusterSize: Int, seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let content = (0..<Self.size).map { UInt8(truncatingIfNeeded: $0 / 512) | 1 }
        let layers = try makeDisk(clusterSize: clusterSize, content: content)
        let initial = try folder.bytes("disk.qcow2")
        let recorder = ChangeRecorder()
        let (history, error) = try run(layers, seed: seed, steps: 60, recorder: recorder, content: content)
        #expect(error == nil)
        let changes = recorder.changes
        #expect(changes.count > 50)
        #expect(history.violation(of: history.moments[0].content, changeCount: changes.count) != nil)

        for round in 0..<60 {
            // The last instants are those of closing: look at each of them.
            let cut = round < 30 ? max(0, changes.count - round) : Int.random(in: 0...changes.count, using: &generator)
            let bytes = crashImage(initial, changes[..<cut], &generator)
            _ = try folder.file("disk.qcow2", bytes)
            let context = "crash after \(cut) of \(changes.count) changes, round \(round)"

            let report = try DiskImage.check(layers[0])
            #expect(
                report.isSound || report.isDirty && report.hasOnlyRefcountFindings, "\(context): \(report.findings)")
            let before = try DiskImage.open(layers, access: .readOnly)
            let found = try before.read(count: Self.size, at: 0)
            try before.close()
            #expect(history.violation(of: found, changeCount: cut) == nil, "\(context)")
            if round % 4 == 0 {
                // The other program recovers it to the same content.
                try Qemu.img("check", "-q", "-f", "qcow2", "-r", "all", layers[0].path.string)
                try Qemu.compare(layers[0].path, with: found, in: folder)
                _ = try folder.file("disk.qcow2", bytes)
            }
            // Opening for writing recovers, and the disk goes on from there.
            let after = try DiskImage.open(layers, access: .readWrite)
            var truth = found
            truth.replaceSubrange(1000..<9000, with: [UInt8](repeating: 0xee, count: 8000))
            try after.write([UInt8](repeating: 0xee, count: 8000), at: 1000)
            try after.close()
            #expect(try DiskImage.check(layers[0]).isSound, "\(context)")
            if round % 4 == 0 {
                try Qemu.check(layers[0].path)
                try Qemu.compare(layers[0].path, with: truth, in: folder)
            }
        }
    }

    @Test(
        "when the host's disk fails, the image stays sound and nothing acknowledged is lost", arguments: [512, 65536])
    func failingDisk(clusterSize: Int) throws {
        let content = (0..<Self.size).map { UInt8(truncatingIfNeeded: $0 / 512) | 1 }
        let layers = try makeDisk(clusterSize: clusterSize, content: content)
        let initial = try folder.bytes("disk.qcow2")
        let all = ChangeRecorder()
        _ = try run(layers, seed: 5, steps: 25, recorder: all, content: content)
        for index in stride(from: 0, to: all.changes.count, by: max(1, all.changes.count / 30)) {
            _ = try folder.file("disk.qcow2", initial)
            let recorder = ChangeRecorder(failingIndex: index)
            let (history, error) = try run(layers, seed: 5, steps: 25, recorder: recorder, content: content)
            #expect(error != nil)
            let report = try DiskImage.check(layers[0])
            #expect(report.isSound || report.isDirty && report.hasOnlyRefcountFindings, "failing at \(index)")
            let disk = try DiskImage.open(layers, access: .readWrite)
            let found = try disk.read(count: Self.size, at: 0)
            #expect(history.violation(of: found, changeCount: .max - 1) == nil, "failing at \(index)")
            try disk.close()
            #expect(try DiskImage.check(layers[0]).isSound, "failing at \(index)")
        }
    }

    @Test("goes on when a full file system has room again")
    func fullFileSystem() throws {
        let content = [UInt8](repeating: 1, count: Self.size)
        let layers = try makeDisk(clusterSize: 4096, content: content)
        let recorder = ChangeRecorder()
        var seen: [(device: UInt64, inode: UInt64)] = []
        let disk = try DiskImage.open(layers[...], access: .readWrite, cacheBytes: 1, observer: recorder, seen: &seen)
        try disk.write([UInt8](repeating: 2, count: 5000), at: 100)
        recorder.setFull(true)
        #expect(throws: DiskImageError.system(SystemError("write", nil, .noSpace))) { try disk.write([3], at: 90_000) }
        #expect(throws: DiskImageError.system(SystemError("write", nil, .noSpace))) { try disk.flush() }
        recorder.setFull(false)
        try disk.write([4], at: 100_000)
        try disk.flush()
        try disk.close()
        var truth = content
        truth.replaceSubrange(100..<5100, with: [UInt8](repeating: 2, count: 5000))
        truth[100_000] = 4
        try Qemu.check(layers[0].path)
        try Qemu.compare(layers[0].path, with: truth, in: folder)
    }

    @Test("a flush that a full file system refuses is never taken back by a later one", arguments: [false, true])
    func lostWrites(hasDirtyTables: Bool) throws {
        let layers = try makeDisk(clusterSize: 4096, content: [UInt8](repeating: 1, count: Self.size))
        let recorder = ChangeRecorder()
        var seen: [(device: UInt64, inode: UInt64)] = []
        let disk = try DiskImage.open(layers[...], access: .readWrite, cacheBytes: 1, observer: recorder, seen: &seen)
        try disk.write([2], at: 100)
        if !hasDirtyTables {
            try disk.flush()
            try disk.write([3], at: 101)
        }
        recorder.setFullWhenSynchronizing(true)
        #expect(throws: DiskImageError.system(SystemError("write", nil, .noSpace))) { try disk.flush() }
        recorder.setFullWhenSynchronizing(false)
        #expect(throws: DiskImageError.failedBefore) { try disk.flush() }
        #expect(throws: DiskImageError.failedBefore) { try disk.write([4], at: 102) }
        #expect(throws: DiskImageError.failedBefore) { try disk.close() }
    }

    @Test(
        "a write that found no room may tell of an earlier one that was accepted, as over NFS; not where writes are refused"
    )
    func lostEarlierWrites() throws {
        for refusesWhenFull in [true, false] {
            let path = try folder.file("\(refusesWhenFull).raw", [UInt8](repeating: 1, count: Self.size))
            let recorder = ChangeRecorder()
            let file = try ImageFile(
                path, access: .readWrite, observer: recorder, refusesWhenFull: refusesWhenFull)
            let disk = try RawImage(file)
            try disk.write([2], at: 100)
            recorder.setFull(true)
            #expect(throws: DiskImageError.system(SystemError("write", nil, .noSpace))) { try disk.write([3], at: 9) }
            recorder.setFull(false)
            if refusesWhenFull {
                try disk.write([4], at: 102)
                try disk.flush()
                try disk.close()
            } else {
                #expect(throws: DiskImageError.failedBefore) { try disk.flush() }
                #expect(throws: DiskImageError.failedBefore) { try disk.close() }
            }
        }
    }

    @Test("so it is with a raw image")
    func lostRawWrites() throws {
        let path = try folder.file("disk.raw", [UInt8](repeating: 1, count: Self.size))
        let recorder = ChangeRecorder()
        let disk = try RawImage(ImageFile(path, access: .readWrite, observer: recorder))
        try disk.write([2], at: 100)
        recorder.setFullWhenSynchronizing(true)
        #expect(throws: DiskImageError.system(SystemError("write", nil, .noSpace))) { try disk.flush() }
        recorder.setFullWhenSynchronizing(false)
        #expect(throws: DiskImageError.failedBefore) { try disk.flush() }
        #expect(throws: DiskImageError.failedBefore) { try disk.close() }
    }
}
