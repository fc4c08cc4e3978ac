import LinuxSystem
import SystemPackage
import Testing

@testable import VagrantImport

/// Boxes of Vagrant's registry as releases of today.
@Suite struct BoxTests {
    @Test(
        "family and release of a name",
        arguments: [
            ("ubuntu/xenial64", "ubuntu/16.04"), ("bento/ubuntu-22.04", "ubuntu/22.04"),
            ("generic/ubuntu2204", "ubuntu/22.04"),
            ("peru/ubuntu-24.04-server-amd64", "ubuntu/24.04"), ("debian/contrib-stretch64", "debian/9"),
            ("generic/debian12", "debian/12"), ("bento/debian-8.2", "debian/8"), ("centos/7", "centos/7"),
            ("puphpet/centos65-x64", "centos/6"), ("centos/stream8", "centos-stream/8"), ("rockylinux/9", "rocky/9"),
            ("fedora/33-cloud-base", "fedora/33"), ("generic/alpine318", "alpine/3.18"),
            ("generic/arch", "arch/latest"),
            ("opensuse/leap-15.2.x86_64", "opensuse/leap-15.2"), ("freebsd/freebsd-13.1-release", "freebsd/13.1"),
        ])
    func release(name: String, expected: String) {
        let found = VagrantBoxes.release(name)
        #expect(found.map { "\($0.family)/\($0.release)" } == expected)
    }

    @Test("what is neither a distribution nor a release keeps its name")
    func others() {
        for name in ["laravel/homestead", "acme/base", "kalilinux/rolling", "team"] {
            #expect(
                VagrantBoxes.choice(for: name, url: nil, keepsRelease: false)
                    == .init(name: name, remark: nil, isKnown: false))
        }
        let byURL = VagrantBoxes.choice(for: "team", url: "http://h/trusty64.box", keepsRelease: false)
        #expect(byURL.name == "ubuntu/24.04")
    }

    @Test("every release that a box may become is in wander's catalogue")
    func catalogue() throws {
        let path = FilePath(#filePath).pushing("../../../../Sources/BoxFormat/Data/catalogue.yaml")
            .lexicallyNormalized()
        let lines = String(decoding: try FileSystem.read(path), as: UTF8.self).split(separator: "\n")
        for (family, releases) in VagrantBoxes.families {
            #expect(releases.living.contains(releases.chosen))
            for release in releases.living {
                #expect(lines.contains("  \(family)/\(release):"), "\(family)/\(release)")
            }
        }
    }

    @Test("Windows, and boxes that stand for a provider elsewhere, are told by their names")
    func refused() {
        for name in ["gusztavvargadr/windows-10", "mwrock/Windows2016", "designerror/win7", "msedge.win10"] {
            #expect(VagrantBoxes.isWindows(name), "\(name)")
        }
        for name in ["twinkle/box", "darwin/base", "ubuntu/xenial64"] {
            #expect(!VagrantBoxes.isWindows(name), "\(name)")
        }
        #expect(
            VagrantBoxes.isDummy("dummy") && VagrantBoxes.isDummy("google/gce") && !VagrantBoxes.isDummy("debian/12"))
    }
}
