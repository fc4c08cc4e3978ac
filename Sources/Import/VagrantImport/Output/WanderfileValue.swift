/// A value that goes into a Wanderfile, without the place that it comes from: two are equal if they mean the same.
indirect enum WanderfileValue: Hashable {
    /// As it is: a number, a size, `true`.
    case plain(String)
    /// Text, with `${NAME}` where it is a variable's.
    case text(String)
    /// Text that is always in quotes, such as `8080:80`.
    case quoted(String)
    /// A script, or a file's content: nothing is filled in.
    case body(String)
    /// On one line, in brackets.
    case words([WanderfileValue])
    case map([Member])
    case list([WanderfileItem])

    struct Member: Hashable {
        var name: String
        var value: WanderfileValue
    }
}

/// An item of a list, or the value of a key, with the line that it comes from.
struct WanderfileItem: Hashable {
    var value: WanderfileValue
    /// Counted from 1; 0: of no line.
    var line: Int

    init(_ value: WanderfileValue, line: Int) {
        self.value = value
        self.line = line
    }

    static func == (left: Self, right: Self) -> Bool { left.value == right.value }
    func hash(into hasher: inout Hasher) { hasher.combine(value) }
}

/// A machine of a Wanderfile: its keys in the order in which people read them.
struct WanderfileMachine {
    static let order = [
        "box", "hostname", "cpus", "memory", "disk", "firmware", "user", "ssh", "ports", "shares", "networks", "proxy",
        "env",
        "files", "provision", "depends_on", "autostart", "primary", "stop", "boot_timeout", "message",
    ]

    var name: String
    /// Counted from 1; 0: of no line.
    var line: Int
    private(set) var keys: [String: WanderfileItem] = [:]

    init(name: String, line: Int) {
        self.name = name
        self.line = line
    }

    subscript(key: String) -> WanderfileItem? {
        get { keys[key] }
        set { keys[key] = newValue }
    }

    mutating func set(_ key: String, _ value: WanderfileValue, line: Int) {
        keys[key] = WanderfileItem(value, line: line)
    }

    /// Adds an item to the list of a key.
    mutating func add(_ value: WanderfileValue, to key: String, line: Int) {
        var items: [WanderfileItem] = []
        var first = line
        if let old = keys[key], case .list(let known) = old.value {
            items = known
            first = old.line
        }
        items.append(WanderfileItem(value, line: line))
        keys[key] = WanderfileItem(.list(items), line: first)
    }

    func items(of key: String) -> [WanderfileItem] {
        if let item = keys[key], case .list(let items) = item.value { items } else { [] }
    }
}
