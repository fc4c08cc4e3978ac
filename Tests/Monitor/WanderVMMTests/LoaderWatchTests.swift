import Testing

@testable import wander_vmm

@Suite struct LoaderWatchTests {
    private func answers(_ pieces: [String]) -> [LoaderWatch.Answer] {
        var watch = LoaderWatch()
        return pieces.compactMap { watch.read(Array($0.utf8)) }
    }

    @Test(
        "a menu is answered once, wherever the pieces of its text begin",
        arguments: [
            "GNU GRUB  version 2.06\u{1b}[04;02H\r\n      Press enter to boot the\u{1b}[22;28H selected OS, `e' to edit\n",
            "    GNU GRUB  version 0.97\n Press enter to boot the selected OS or 'p' to enter a password\n",
            "SYSLINUX 6.04\nboot: ", "Automatic boot in 5 seconds...\n",
        ])
    func menu(text: String) {
        #expect(answers([text, text]) == [.pressEnter])
        #expect(answers(text.map(String.init) + [text]) == [.pressEnter])
    }

    @Test(
        "what says that nothing will start is an error",
        arguments: [
            "Booting from Hard Disk...\r\nBoot failed: not a bootable disk\r\n\r\nNo bootable device.\r\n",
            "GRUB loading.\r\nerror: no such partition.\r\nEntering rescue mode...\r\ngrub rescue> ",
            "Missing operating system",
            "BdsDxe: failed to load Boot0001 \"UEFI Misc Device\": Not Found\r\n"
                + "BdsDxe: No bootable option or device was found.\r\n",
        ])
    func failure(text: String) {
        for found in [answers([text]), answers(text.map(String.init))] {
            #expect(found.count == 1)
            guard case .giveUp(let reason)? = found.first else {
                Issue.record("\(found)")
                continue
            }
            #expect(!reason.isEmpty)
        }
    }

    @Test("a prompt that scripts show too ends nothing by itself", arguments: ["\r\ngrub> ", "\r\nShell> fs0:\r\n"])
    func prompt(text: String) { #expect(answers([text]).isEmpty) }

    @Test("an entry that cannot be started is an error, after its menu was answered")
    func failedEntry() {
        let found = answers(["SYSLINUX 6.04\nboot: ", "\r\nLoading /vmlinuz failed: I/O error\r\n", "boot: "])
        #expect(found == [.pressEnter, .giveUp("SYSLINUX cannot read the kernel, and waits at 'boot:'")])
    }

    @Test("after a kernel's first word nothing is the loader's, nor after so much text, nor once somebody types")
    func over() {
        let failure = "\r\nNo bootable device.\r\n"
        #expect(answers(["[    0.000000] Linux version 6.1\r\n" + failure]).isEmpty)
        #expect(answers(["Booting `Debian'\r\n", failure]).isEmpty)
        #expect(answers([String(repeating: "x", count: 65 << 10), failure]).isEmpty)
        var watch = LoaderWatch()
        watch.leaveAlone()
        #expect(watch.read(Array(failure.utf8)) == nil)
    }
}
