import Glibc
import LinuxSystem
import SystemPackage
import TestSupport
import Testing

@testable import FUSE

/// What guests may have open and know, with few descriptors and little memory.
@Suite struct DescriptorTests {
    private func open(_ count: Int, in guest: GuestKernel) -> [(node: UInt64, handle: UInt64)] {
        var files: [(node: UInt64, handle: UInt64)] = []
        for index in 0..<count {
            let node = guest.node("f\(index)")
            let opened = guest.open(node, O_RDWR)
            guard opened.error == 0 else {
                #expect(opened.error == -ENFILE)
                break
            }
            files.append((node, opened.handle))
        }
        return files
    }

    @Test("an open file takes one descriptor, and folders in use give theirs for it")
    func openFiles() throws {
        let guest = try GuestKernel(TemporaryFolder()) { $0.descriptorLimit = 256 }
        for index in 0..<256 { _ = try guest.folder.file("f\(index)", [UInt8(index)]) }
        for index in 0..<200 {
            _ = try guest.folder.file("d\(index)/f")
            #expect(guest.node("d\(index)/f") != 0)
        }
        let files = open(256, in: guest)
        #expect(files.count >= 200)
        // Listing a folder still works, and so does what needs a descriptor for a moment.
        #expect(guest.list(1).count == 258 + 200)
        #expect(guest.list(guest.node("d7")).count == 3)
        for (index, file) in files.enumerated() {
            try FileSystem.remove(guest.folder("f\(index)"))
            #expect(guest.attributes(file.node).size == 1 && guest.read(file.node, file.handle).bytes == [UInt8(index)])
            #expect(guest.release(file.node, file.handle) == 0)
        }
    }

    @Test(
        "a file that several handles have open is itself until the last one is closed, and no descriptor is left then")
    func severalHandles() throws {
        let guest = try GuestKernel(TemporaryFolder())
        _ = try guest.folder.file("a", [1])
        let node = guest.node("a")
        let before = guest.server.bound.count
        let handles = (0..<3).map { _ in guest.open(node).handle }
        #expect(guest.server.bound.count == before + 3)
        try FileSystem.rename(guest.folder.file("b", [2, 3]), to: guest.folder("a"))
        for handle in [handles[1], handles[0], handles[2]] {
            #expect(guest.attributes(node).size == 1)
            #expect(guest.release(node, handle) == 0)
        }
        #expect(guest.attributes(node).error == -ESTALE)
        #expect(guest.server.bound.count == before)
        // Removed by the guest, it stays for as long as the guest knows it.
        let other = guest.node("a")
        let handle = guest.open(other).handle
        #expect(guest.remove("a") == 0 && guest.release(other, handle) == 0)
        #expect(guest.attributes(other).size == 2)
        _ = guest.forget(other)
        #expect(guest.server.bound.count == before)
    }

    @Test("a tree that is deeper than there are descriptors is gone through down and up")
    func deepTree() throws {
        let guest = try GuestKernel(TemporaryFolder()) { $0.descriptorLimit = 128 }
        var nodes: [UInt64] = [1]
        for _ in 0..<3000 {
            let made = guest.makeFolder("d", in: nodes[nodes.count - 1])
            guard made.error == 0 else {
                Issue.record("error \(made.error) at \(nodes.count)")
                return
            }
            nodes.append(made.node)
        }
        for node in nodes.reversed() where guest.list(node, plus: true).isEmpty {
            Issue.record("cannot be listed")
            return
        }
        while nodes.count > 1 {
            let node = nodes.removeLast()
            guard guest.removeFolder("d", in: nodes[nodes.count - 1]) == 0 else {
                Issue.record("not removed at \(nodes.count)")
                return
            }
            _ = guest.forget(node, 10)
        }
    }

    @Test("a guest that knows too many files loses sight of the oldest, and finds them again")
    func manyFiles() throws {
        let guest = try GuestKernel(TemporaryFolder()) { $0.nodeLimit = 100 }
        for index in 0..<300 { _ = try guest.folder.file("f\(index)", [UInt8(index & 0xff)]) }
        let first = guest.node("f0")
        let held = guest.open(first)
        #expect(held.error == 0)
        let second = guest.node("f1")
        for index in 2..<300 { #expect(guest.lookUp("f\(index)").error == 0) }
        #expect(guest.server.nodes.count <= 100)
        // What is open stays.
        #expect(guest.attributes(first).size == 1 && guest.read(first, held.handle).bytes == [0])
        #expect(guest.attributes(second).error == -ESTALE)
        #expect(guest.open(guest.node("f1")).error == 0)
        _ = guest.forget(second)
        #expect(guest.list(1, plus: true).count == 302)
        for _ in 0..<5000 { _ = guest.forget(guest.node("f9")) }
        #expect(guest.open(guest.node("f299")).error == 0)
    }

    @Test("all shares of a process know so many files together, and each a few whatever the others know")
    func budget() throws {
        let budget = NodeBudget(limit: 5000)
        let folder = try TemporaryFolder()
        for index in 0..<6000 { _ = try folder.file("f\(index)") }
        do {
            let greedy = try GuestKernel(folder) { $0.budget = budget }
            let modest = try GuestKernel(folder) { $0.budget = budget }
            for index in 0..<6000 { #expect(greedy.lookUp("f\(index)").error == 0) }
            #expect(greedy.server.nodes.count == 5001 && budget.isUsedUp)
            for index in 0..<6000 { #expect(modest.lookUp("f\(index)").error == 0) }
            #expect(modest.server.nodes.count == NodeBudget.share)
            greedy.server.reset()
            #expect(!budget.isUsedUp)
        }
        for _ in 0..<4999 { budget.take() }
        #expect(!budget.isUsedUp)
    }

    @Test("shares that are told nothing else have the process's one budget, of a million files") func oneBudget() throws
    {
        let folder = try TemporaryFolder()
        let kernels = [try GuestKernel(folder), try GuestKernel(folder)]
        for kernel in kernels { #expect(kernel.server.options.budget === NodeBudget.process) }
        #expect(NodeBudget.process.limit == 1_048_576)
    }
}
