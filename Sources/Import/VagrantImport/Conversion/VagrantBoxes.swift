/// What a box of Vagrant's registry is today: a release that somebody maintains.
enum VagrantBoxes {
    struct Choice: Equatable {
        var name: String
        /// What is different, and why; nil: it is the same release.
        var remark: String?
        /// Whether it is a release of a family that is known, so that version and URL of the old box mean nothing.
        var isKnown: Bool
    }

    /// The releases of each family that somebody maintains and wander's catalogue has, and the one that an older one
    /// becomes: not the newest where that is much newer than the scripts that people have.
    static let families: [String: (living: [String], chosen: String)] = [
        "debian": (["12", "13"], "12"), "ubuntu": (["22.04", "24.04", "26.04"], "24.04"),
        "fedora": (["43", "44"], "44"), "almalinux": (["9", "10"], "9"), "rocky": (["9", "10"], "9"),
        "centos-stream": (["9", "10"], "9"), "opensuse": (["leap-16.0"], "leap-16.0"), "arch": (["latest"], "latest"),
        "alpine": (["3.22", "3.23"], "3.23"), "freebsd": (["15.1"], "15.1"),
    ]

    /// When the support of a release ended.
    private static let ended: [String: String] = [
        "ubuntu/10.04": "2015", "ubuntu/12.04": "2017", "ubuntu/14.04": "2019", "ubuntu/16.04": "2021",
        "ubuntu/18.04": "2023", "ubuntu/20.04": "2025", "debian/6": "2016", "debian/7": "2018", "debian/8": "2020",
        "debian/9": "2022", "debian/10": "2024", "debian/11": "2026", "centos/5": "2017", "centos/6": "2020",
        "centos/7": "2024", "centos/8": "2021", "centos-stream/8": "2024",
    ]

    private static let codenames: [(word: String, family: String, release: String)] = [
        ("lucid", "ubuntu", "10.04"), ("precise", "ubuntu", "12.04"), ("trusty", "ubuntu", "14.04"),
        ("wily", "ubuntu", "15.10"), ("xenial", "ubuntu", "16.04"), ("bionic", "ubuntu", "18.04"),
        ("focal", "ubuntu", "20.04"), ("jammy", "ubuntu", "22.04"), ("noble", "ubuntu", "24.04"),
        ("vivid", "ubuntu", "15.04"), ("zesty", "ubuntu", "17.04"), ("artful", "ubuntu", "17.10"),
        ("cosmic", "ubuntu", "18.10"), ("disco", "ubuntu", "19.04"), ("eoan", "ubuntu", "19.10"),
        ("groovy", "ubuntu", "20.10"), ("hirsute", "ubuntu", "21.04"), ("impish", "ubuntu", "21.10"),
        ("lunar", "ubuntu", "23.04"), ("mantic", "ubuntu", "23.10"), ("squeeze", "debian", "6"),
        ("wheezy", "debian", "7"), ("jessie", "debian", "8"), ("stretch", "debian", "9"), ("buster", "debian", "10"),
        ("bullseye", "debian", "11"), ("bookworm", "debian", "12"), ("trixie", "debian", "13"),
    ]

    static func choice(for name: String, url: String?, keepsRelease: Bool) -> Choice {
        let words = name.lowercased()
        guard let (family, release) = release(words) ?? url.flatMap({ Self.release($0.lowercased()) }) else {
            return Choice(name: name, remark: nil, isKnown: false)
        }
        let old = "\(family)/\(release)"
        // Who asks for the old release has its box, under the name that it had.
        if keepsRelease { return Choice(name: name, remark: nil, isKnown: true) }
        let target = family == "centos" || family == "rhel" || family == "oracle" ? "almalinux" : family
        guard let (living, newest) = families[target] else {
            return Choice(name: name, remark: nil, isKnown: false)
        }
        if family == target, living.contains(release) { return Choice(name: old, remark: nil, isKnown: true) }
        let chosen = "\(target)/\(newest)"
        let reason: String
        if let year = ended[old] {
            reason = "\(old) has been out of support since \(year)"
        } else if release.isEmpty {
            reason = "the name of the box has no release"
        } else if family != target {
            reason = "it is the nearest to \(old)"
        } else {
            reason = "\(old) is not in wander's catalogue"
        }
        return Choice(name: chosen, remark: "now \(chosen): \(reason)", isKnown: true)
    }

    static func isWindows(_ name: String) -> Bool {
        let words = name.lowercased()
        let short = [
            "win7", "win8", "win10", "win11", "win2008", "win2012", "win2016", "win2019", "win2022", "win-", "_win",
        ]
        return words.contains("windows") || words.contains("msedge") || words.contains("mswin")
            || short.contains { words.contains($0) }
    }

    /// Boxes that only a provider elsewhere can do something with.
    static func isDummy(_ name: String) -> Bool {
        let last = name.lowercased().split(separator: "/").last ?? ""
        return [
            "dummy", "aws-dummy", "aws", "azure-dummy", "azure", "google", "gce", "digital_ocean", "digitalocean",
            "openstack", "docker", "esxi", "rackspace", "linode",
        ].contains(String(last)) || name.hasPrefix("azure")
    }

    // MARK: - Names

    /// Family and release, such as `ubuntu` and `16.04`; nil for a box that is neither a distribution nor a release.
    static func release(_ name: String) -> (family: String, release: String)? {
        for (word, family, release) in codenames where name.contains(word) { return (family, release) }
        if name == "base" { return ("debian", "") }
        if name.contains("arch") && (name.contains("archlinux") || name.hasSuffix("/arch")) {
            return ("arch", "latest")
        }
        if name.contains("centos") && name.contains("stream") {
            return ("centos-stream", String(numbers(after: "stream", in: name).first ?? ""))
        }
        let families: [(word: String, family: String)] = [
            ("ubuntu", "ubuntu"), ("debian", "debian"), ("fedora", "fedora"), ("almalinux", "almalinux"),
            ("alma", "almalinux"), ("rockylinux", "rocky"), ("rocky", "rocky"), ("centos", "centos"),
            ("oracle", "oracle"),
            ("rhel", "rhel"), ("alpine", "alpine"), ("freebsd", "freebsd"), ("opensuse", "opensuse"),
            ("leap", "opensuse"),
        ]
        for (word, family) in families where name.contains(word) {
            // `opensuse/leap-15.2` and `freebsd/freebsd-13`: the last one has the number.
            let numbers = numbers(after: word, in: name)
            return (family, release(of: family, numbers))
        }
        return nil
    }

    private static func release(of family: String, _ numbers: [Substring]) -> String {
        guard let first = numbers.first else { return "" }
        switch family {
        case "ubuntu":
            if numbers.count > 1, first.count == 2, numbers[1].count == 2 { return "\(first).\(numbers[1])" }
            // `generic/ubuntu2204`, `ubuntu22`.
            if first.count == 4 { return "\(first.prefix(2)).\(first.suffix(2))" }
            return first.count == 2 ? "\(first).04" : ""
        case "alpine", "freebsd":
            if family == "alpine", numbers.count == 1, first.count > 1, first.hasPrefix("3") {
                return "3.\(first.dropFirst())"
            }
            return numbers.count > 1 ? "\(first).\(numbers[1])" : String(first)
        case "opensuse":
            return numbers.count > 1 ? "leap-\(first).\(numbers[1])" : "leap-\(first)"
        default:
            // `centos65` is 6.5, `debian12` is 12, `debian-82` is 8.2.
            let isJoined = first.count == 2 && "5678".contains(first.prefix(1))
            return isJoined ? String(first.prefix(1)) : String(first)
        }
    }

    /// The numbers after the last place of a word: `-22.04-amd64` gives 22 and 04, since 64 belongs to a word.
    private static func numbers(after word: String, in name: String) -> [Substring] {
        var rest = name[...]
        while let range = rest.firstRange(of: word) { rest = rest[range.upperBound...] }
        let parts = rest.split { !$0.isNumber && !$0.isLetter }
        var found: [Substring] = []
        for part in parts {
            let digits = part.drop { !$0.isNumber }.prefix { $0.isNumber }
            let isOther = ["amd64", "x86", "x64", "i386", "i686", "64"].contains(part) || part.hasPrefix("arm")
            guard !digits.isEmpty, !isOther else {
                if found.isEmpty { continue }
                break
            }
            found.append(digits)
        }
        return found
    }
}
