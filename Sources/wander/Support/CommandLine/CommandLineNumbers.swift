import ArgumentParser

/// A time on the command line, in whole seconds. It is cut to a maximum that nobody waits for, so that no sum
/// overflows.
struct WaitingTime: ExpressibleByArgument {
    /// About three years, in seconds.
    private static let limit: Int64 = 100_000_000

    let milliseconds: Int64

    init?(argument: String) {
        guard !argument.isEmpty, argument.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        milliseconds = min(Int64(argument) ?? Self.limit, Self.limit) * 1000
    }
}

/// How many of something, on the command line: zero or more.
struct LineCount: ExpressibleByArgument {
    let value: Int

    init?(argument: String) {
        guard !argument.isEmpty, argument.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        value = Int(argument) ?? .max
    }
}
