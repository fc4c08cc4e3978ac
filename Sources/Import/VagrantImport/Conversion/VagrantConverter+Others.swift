import RubyReader

/// Settings that no key of a Wanderfile takes: why not, and whether anything is missing.
extension VagrantConverter {
    private static let machineWords: [String: String] = [
        "box": "", "box_url": "", "box_version": "", "guest": "", "communicator": "",
        "box_check_update": "not needed: 'wander box outdated' looks for newer boxes",
        "box_download_insecure": "not needed: boxes are verified",
        "box_download_checksum": "not needed: boxes are verified",
        "box_download_checksum_type": "not needed: boxes are verified", "box_architecture": "the host's own is taken",
        "ignore_box_vagrantfile": "not needed: no box's Vagrantfile is read",
        "usable_port_range": "not needed: any free port is taken",
        "allow_fstab_modification": "not needed: shares have lines of their own",
        "allow_hosts_modification": "not needed: names are the network's",
        "allowed_synced_folder_types": "not needed: every share is live", "box_server_url": "not needed",
        "base_mac": "every machine has an address of its own",
        "base_address": "every machine has an address of its own",
        "boot_mode": "not needed: a machine has no screen",
    ]

    private static let partWords: [(prefix: String, text: String, isImportant: Bool)] = [
        ("ssh.shell", "steps run in bash, which the machine has to have", true),
        ("ssh.forward_env", "write the variables in 'env'", true),
        ("ssh.forward_x11", "ask ssh itself: 'wander ssh-config' prints what it needs", true),
        ("ssh.extra_args", "give them to ssh itself: 'wander ssh-config' prints what it needs", true),
        ("hostmanager.aliases", "a machine has no other names: write them into /etc/hosts in a step", true),
        ("hostsupdater.aliases", "a machine has no other names: write them into /etc/hosts in a step", true),
        ("ssh.", "not needed: each machine has a key of its own", false),
        ("vagrant.", "not needed: there are no plugins", false),
        ("vbguest", "not needed: shares need no additions", false),
        ("hostmanager", "not needed: machines know each other by name", false),
        ("hostsupdater", "not needed: machines know each other by name", false),
        ("landrush", "not needed: machines know each other by name", false),
        ("dns", "not needed: machines know each other by name", false),
        ("cache", "not needed to work: packages are fetched anew", false),
        ("omnibus", "it is for Chef, which is not set up", false),
        ("berkshelf", "it is for Chef, which is not set up", false),
        ("librarian", "it is for Puppet, which is not set up", false), ("winrm", "it is for Windows", false),
        ("winssh", "it is for Windows", false), ("nfs", "not needed: every share is live", false),
        ("rsync", "not needed: every share is live", false), ("sshfs", "not needed: every share is live", false),
        ("push", "there is no 'push'", false), ("package", "not needed: 'wander package' takes a name", false),
        ("trigger", "what a trigger does is left out: write a step in 'provision', or do it by hand", true),
        ("proxy.", "", false), ("apt_proxy.", "", false), ("env_proxy.", "", false),
        ("persistent_storage", "a machine has one disk here: another one is left out", true),
        ("disksize", "", false),
        ("vm.cloud_init", "what cloud-init would do is left out", true),
        ("vm.clone", "a machine that is a copy of another is left out", true),
    ]

    /// Of a setting that was not taken.
    func tell(_ name: String, _ setting: VagrantSetting) {
        if name.hasPrefix("vm.disk#") { return }
        if name == "ssh.shell", setting.text?.hasPrefix("bash") == true { return }
        if name.hasPrefix("vm."), let words = Self.machineWords[String(name.dropFirst(3))] {
            if !words.isEmpty { remarks.dropped(name, words, at: setting.line, isImportant: false) }
            return
        }
        // What is turned off is not missing.
        var isOff = setting.value.isNull || setting.value.items?.isEmpty == true
        if case .flag(false) = setting.value { isOff = true }
        tell(String(name.prefix { $0 != "#" }), isOff: isOff, at: setting.line)
    }

    private func tell(_ path: String, isOff: Bool = false, at line: Int) {
        guard
            let known = Self.partWords.first(where: { path.hasPrefix($0.prefix) || path.hasPrefix("vm.\($0.prefix)") })
        else { return remarks.dropped(path, "wander has nothing like it", at: line, isImportant: false) }
        if !known.text.isEmpty { remarks.dropped(path, known.text, at: line, isImportant: known.isImportant && !isOff) }
    }

    func tellOthers(_ machine: EffectiveMachine) {
        for other in machine.others { tell(other.path, at: other.line) }
    }
}
