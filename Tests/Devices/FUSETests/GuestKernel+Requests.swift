import Glibc

extension GuestKernel {
    struct Opened {
        var error: Int32
        var handle: UInt64
        /// FOPEN_*
        var flags: UInt32

        init(_ reply: Reply, at offset: Int = 0) {
            error = reply.error
            handle = reply.value(at: offset)
            flags = reply.value(at: offset + 8)
        }
    }

    func open(_ node: UInt64, _ flags: Int32 = O_RDONLY) -> Opened {
        Opened(ask(14, node, little(UInt32(bitPattern: flags)) + little(0 as UInt32)))
    }

    func create(
        _ name: String, in parent: UInt64 = 1, _ flags: Int32 = O_RDWR, mode: UInt32 = 0o644
    ) -> (entry: Entry, opened: Opened) {
        let reply = ask(
            35, parent,
            little(UInt32(bitPattern: flags)) + little(0o100000 | mode) + little(0 as UInt64) + text(name))
        return (Entry(reply), Opened(reply, at: 128))
    }

    func read(_ node: UInt64, _ handle: UInt64, at offset: UInt64 = 0, _ size: UInt32 = 4096, room: Int? = nil) -> Reply
    {
        let arguments = little(handle) + little(offset) + little(size) + [UInt8](repeating: 0, count: 20)
        return ask(15, node, arguments, room: room ?? 16 + Int(size))
    }

    /// - Parameter flags: The open file's at that moment.
    func write(
        _ node: UInt64, _ handle: UInt64, at offset: UInt64 = 0, _ bytes: [UInt8], flags: Int32 = O_RDWR,
        fromCache: Bool = false, size: UInt32? = nil
    ) -> Reply {
        var arguments = little(handle) + little(offset) + little(size ?? UInt32(bytes.count))
        arguments += little(fromCache ? 1 : 0 as UInt32) + little(0 as UInt64)
        return ask(16, node, arguments + little(UInt32(bitPattern: flags)) + little(0 as UInt32) + bytes)
    }

    @discardableResult
    func release(_ node: UInt64, _ handle: UInt64, opcode: UInt32 = 18) -> Int32 {
        ask(opcode, node, little(handle) + [UInt8](repeating: 0, count: 16)).error
    }

    /// What SETATTR changes.
    struct Changes {
        var valid: UInt32 = 0
        var handle: UInt64 = 0
        var size: UInt64 = 0
        var accessed: Int64 = 0
        var modified: Int64 = 0
        var nanoseconds: UInt32 = 0
        var mode: UInt32 = 0
        var user: UInt32 = 0
        var group: UInt32 = 0
    }

    func change(_ node: UInt64, user: UInt32 = 0, _ configure: (inout Changes) -> Void) -> Attributes {
        var changes = Changes()
        configure(&changes)
        var arguments = little(changes.valid) + little(0 as UInt32) + little(changes.handle) + little(changes.size)
        arguments += little(0 as UInt64) + little(changes.accessed) + little(changes.modified) + little(0 as UInt64)
        arguments += little(changes.nanoseconds) + little(changes.nanoseconds) + little(0 as UInt32)
        arguments += little(changes.mode) + little(0 as UInt32) + little(changes.user) + little(changes.group)
        return Attributes(ask(4, node, arguments + little(0 as UInt32), user: user), at: 16)
    }

    func makeFolder(_ name: String, in parent: UInt64 = 1, mode: UInt32 = 0o755) -> Entry {
        Entry(ask(9, parent, little(mode) + little(0 as UInt32) + text(name)))
    }

    func makeNode(_ name: String, in parent: UInt64 = 1, mode: UInt32) -> Entry {
        Entry(ask(8, parent, little(mode) + little(0x0103 as UInt32) + little(0 as UInt64) + text(name)))
    }

    func makeLink(_ name: String, in parent: UInt64 = 1, to target: String) -> Entry {
        Entry(ask(6, parent, text(name) + text(target)))
    }

    func link(_ node: UInt64, as name: String, in parent: UInt64 = 1) -> Entry {
        Entry(ask(13, parent, little(node) + text(name)))
    }

    func remove(_ name: String, in parent: UInt64 = 1) -> Int32 { ask(10, parent, text(name)).error }
    func removeFolder(_ name: String, in parent: UInt64 = 1) -> Int32 { ask(11, parent, text(name)).error }

    func rename(
        _ name: String, in parent: UInt64 = 1, to newName: String, in newParent: UInt64 = 1, flags: UInt32? = nil
    ) -> Int32 {
        guard let flags else { return ask(12, parent, little(newParent) + text(name) + text(newName)).error }
        return ask(45, parent, little(newParent) + little(flags) + little(0 as UInt32) + text(name) + text(newName))
            .error
    }

    struct Dirent: Equatable {
        var inode, offset: UInt64
        var type: UInt32
        var name: String
        /// Of READDIRPLUS.
        var node: UInt64
        var mode: UInt32
    }

    func readFolder(
        _ node: UInt64, _ handle: UInt64, from offset: UInt64 = 0, size: UInt32 = 4096, plus: Bool = false
    ) -> (error: Int32, entries: [Dirent]) {
        let arguments = little(handle) + little(offset) + little(size) + [UInt8](repeating: 0, count: 20)
        let reply = ask(plus ? 44 : 28, node, arguments, room: 16 + Int(size))
        var entries: [Dirent] = []
        var at = 0
        let fixed = plus ? 128 : 0
        while at + fixed + 24 <= reply.bytes.count {
            let start = at + fixed
            let length = Int(reply.value(at: start + 16, UInt32.self))
            let name = String(decoding: reply.bytes[(start + 24)..<(start + 24 + length)], as: UTF8.self)
            entries.append(
                Dirent(
                    inode: reply.value(at: start), offset: reply.value(at: start + 8),
                    type: reply.value(at: start + 20), name: name, node: plus ? reply.value(at: at) : 0,
                    mode: plus ? reply.value(at: at + 100) : 0))
            at += (fixed + 24 + length + 7) & ~7
        }
        return (reply.error, entries)
    }

    /// All entries of a folder, as `ls -a` reads them.
    func list(_ node: UInt64, size: UInt32 = 4096, plus: Bool = false) -> [Dirent] {
        let opened = Opened(ask(27, node, little(0 as UInt64)))
        defer { release(node, opened.handle, opcode: 29) }
        var entries: [Dirent] = []
        while true {
            let more = readFolder(node, opened.handle, from: entries.last?.offset ?? 0, size: size, plus: plus)
            if more.error != 0 || more.entries.isEmpty { return entries }
            entries += more.entries
        }
    }
}
