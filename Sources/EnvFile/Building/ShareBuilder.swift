import YAML

/// Makes the shares of a machine from their values.
struct ShareBuilder {
    let context: BuildContext

    func shares(_ record: Record) -> [SharedFolder] {
        var seen: Set<String> = []
        return record.list("shares").compactMap { value in
            guard let (share, mark) = share(value) else { return nil }
            guard seen.insert(share.guest).inserted else {
                context.problems.report(
                    "two shares lead to '\(share.guest)'", hint: "Remove one of them, or give it another place.",
                    at: mark)
                return nil
            }
            return share
        }
    }

    private func share(_ value: Value) -> (SharedFolder, Mark)? {
        if case .share(let short) = value.scalar {
            let host = context.hostPath(short.host, at: value.mark)
            return (SharedFolder(host: host, guest: short.guest, mode: short.mode, createsHost: false), value.mark)
        }
        guard let long = value.record, let host = long["host"], let folder = host.text, let guest = long["guest"],
            let path = guest.text
        else { return nil }
        let share = SharedFolder(
            host: context.hostPath(folder, at: host.mark), guest: path, mode: long.choice("mode") ?? .readWrite,
            createsHost: long.flag("create") ?? false)
        return (share, guest.mark)
    }
}
