import Testing

@testable import Provider

@Suite struct StuckBootTests {
    @Test(
        "who waits at a console for somebody is known by what the console ends with",
        arguments: [
            (
                "ALERT!  UUID=12-34 does not exist.  Dropping to a shell!\n\nBusyBox v1.35\n\n(initramfs) ",
                "12-34 does not"
            ),
            ("Gave up waiting for root file system device.\n(initramfs)", "Gave up waiting"),
            ("Warning: /dev/disk/by-uuid/12 does not exist\nEntering emergency mode.\ndracut:/# ", "by-uuid/12"),
            (
                "mount: mounting UUID=1 on /sysroot failed: No such file or directory\n"
                    + "initramfs emergency recovery shell launched. Type 'exit' to continue boot\n"
                    + "sh: can't access tty; job control turned off\n/ # ", "UUID=1 on /sysroot"
            ),
            (
                "[    1.2] ---[ end Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0) ]---\n",
                "kernel panicked: VFS: Unable to mount root fs on unknown-block(0,0)"
            ),
            ("GRUB loading.\nerror: no such partition.\nEntering rescue mode...\ngrub rescue> ", "grub rescue>"),
            (
                "Booting from Hard Disk...\nBoot failed: not a bootable disk\n\nNo bootable device.\n",
                "nothing to start"
            ),
            ("   GNU GRUB  version 2.06\n\ngrub> ", "no configuration"), ("BdsDxe: starting\nShell> ", "UEFI shell"),
            ("Loading /vmlinuz failed: I/O error\nboot: ", "cannot read the kernel"),
            (
                "You are in emergency mode.\nGive root password for maintenance\n(or press Control-D to continue): ",
                "emergency mode"
            ),
            ("Cannot open access to console\nPress Enter for maintenance", "emergency mode"),
        ])
    func stuck(console: String, words: String) throws {
        let stuck = try #require(StuckBoot(console: console))
        #expect(stuck.reason.contains(words), "\(stuck.reason)")
        #expect(!stuck.advice.isEmpty)
        // Not once it has gone on.
        #expect(StuckBoot(console: console + "\nlogin: ") == nil)
    }

    @Test(
        "a guest that boots is not stuck",
        arguments: ["", "\n \n", "[    0.1] Linux version 6.1", "/ # ", "debian login: "])
    func boots(console: String) { #expect(StuckBoot(console: console) == nil) }

    @Test("what a guest says in a reason is short")
    func short() throws {
        let long = String(repeating: "x", count: 5000)
        for console in ["\(long) does not exist\n(initramfs) ", "---[ end Kernel panic - not syncing: \(long) ]---"] {
            #expect(try #require(StuckBoot(console: console)).reason.count < 250)
        }
    }
}
