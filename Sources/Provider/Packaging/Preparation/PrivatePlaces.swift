import SSH

/// The places where guests keep what must not be in a box. The preparation's script and its tests are made from this
/// one table.
///
/// Whoever downloads a box finds what is left in it, so wander removes doubtful places too: a provisioner can bring
/// back a configuration that a new machine needs. Files that hold secrets among much else (`/etc/shadow`, a project's
/// own `.env`) stay.
enum PrivatePlaces {
    enum Kind: String, CaseIterable {
        case history, secret, trace
        /// Host keys of the SSH server in the initial RAM disk, which has a copy of them.
        case initramfsKeys = "host-keys"
    }
    enum Scope: CaseIterable { case home, system }

    struct Row: Hashable {
        var kind: Kind
        var scope: Scope
        /// Below a home folder, or absolute; with the shell's wildcards. A `/` at its end: every file in the folder, at
        /// any depth.
        var pattern: String
    }

    static let rows: [Row] =
        home(
            .history,
            [
                ".bash_history", ".ash_history", ".sh_history", ".zsh_history", ".zhistory", ".history", ".histfile",
                ".python_history", ".node_repl_history", ".mysql_history", ".mariadb_history", ".psql_history",
                ".sqlite_history", ".rediscli_history", ".dbshell", ".mongodb/mongosh/mongosh_repl_history",
                ".mongodb/mongosh/*_log", ".irb_history", ".pry_history", ".local/share/pry/pry_history",
                ".php_history",
                ".lesshst", ".viminfo", ".nano_history", ".local/share/nano/search_history", ".wget-hsts",
                ".local/share/fish/fish_history", ".local/share/nvim/shada/", ".local/state/nvim/shada/",
                ".local/state/*history", ".local/state/*/*history", ".local/state/lesshst", ".duckdb_history",
                ".erlang-history", ".cache/erlang-history/", ".ghc/ghci_history",
                ".ipython/profile_*/history.sqlite", ".local/share/atuin/",
            ])
        + home(
            .secret,
            [
                ".netrc", "._netrc", ".authinfo", ".git-credentials", ".config/git/credentials", ".pgpass", ".my.cnf",
                ".mylogin.cnf", ".aws/credentials", ".aws/sso/cache/", ".aws/cli/cache/", ".azure/", ".config/gcloud/",
                ".boto", ".s3cfg", ".config/rclone/", ".docker/config.json", ".config/containers/auth.json",
                ".config/gh/hosts.yml", ".config/hub", ".config/glab-cli/config.yml", ".vault-token", ".kube/config",
                ".kube/cache/", ".config/helm/registry/", ".config/doctl/config.yaml", ".config/hcloud/cli.toml",
                ".config/op/", ".config/sops/age/keys.txt", ".terraform.d/credentials.tfrc.json", ".fly/config.yml",
                ".npmrc", ".yarnrc.yml", ".pypirc", ".cargo/credentials", ".cargo/credentials.toml", ".gem/credentials",
                ".local/share/gem/credentials", ".m2/settings.xml", ".m2/settings-security.xml", ".composer/auth.json",
                ".config/composer/auth.json", ".config/NuGet/NuGet.Config", ".nuget/NuGet/NuGet.Config",
                ".gnupg/private-keys-v1.d/", ".gnupg/secring.gpg", ".local/share/keyrings/", ".ansible/galaxy_token",
                ".config/wander/auth.json", ".claude/.credentials.json", ".claude.json", ".codex/auth.json",
                ".gemini/oauth_creds.json", ".config/github-copilot/", ".aws/config", ".config/pypoetry/auth.toml",
                ".config/pip/pip.conf", ".pip/pip.conf", ".gradle/gradle.properties", ".bundle/config",
                ".subversion/auth/", ".ssh/*.ppk",
            ])
        + system(
            .secret,
            [
                "/etc/wireguard/*.conf", "/etc/NetworkManager/system-connections/", "/etc/wpa_supplicant/*.conf",
                "/var/lib/iwd/", "/etc/openvpn/*.key", "/etc/openvpn/client/", "/etc/openvpn/server/*.key",
                "/var/lib/tailscale/tailscaled.state", "/etc/krb5.keytab", "/etc/ppp/chap-secrets",
                "/etc/ppp/pap-secrets",
                "/var/lib/systemd/credential.secret", "/etc/rancher/k3s/k3s.yaml",
                "/var/lib/rancher/k3s/server/token", "/var/lib/rancher/k3s/server/node-token",
                "/var/lib/rancher/k3s/server/agent-token", "/var/lib/rancher/k3s/server/tls/",
                "/etc/profile.d/wander-proxy.sh", "/etc/apt/apt.conf.d/95wander-proxy",
                "/etc/systemd/system/*.service.d/wander-proxy.conf",
                "/var/lib/rancher/k3s/server/cred/", "/etc/kubernetes/admin.conf", "/etc/kubernetes/super-admin.conf",
                "/etc/kubernetes/pki/*.key", "/etc/kubernetes/pki/etcd/*.key", "/etc/letsencrypt/archive/",
                "/etc/letsencrypt/accounts/", "/etc/ipsec.secrets",
            ])
        + system(
            .trace,
            [
                "/etc/sudoers.d/wander-proxy", "/etc/profile.d/wander-ca.sh", "/usr/local/share/wander/ca.pem",
                "/usr/local/share/ca-certificates/wander-*.crt", "/etc/pki/trust/anchors/wander-*.crt",
                "/etc/pki/ca-trust/source/anchors/wander-*.crt",
                "/etc/ca-certificates/trust-source/anchors/wander-*.crt",
                "/var/lib/systemd/random-seed", "/var/lib/urandom/random-seed", "/var/lib/misc/random-seed",
                "/var/lib/random-seed", "/boot/loader/random-seed", "/boot/efi/loader/random-seed",
                "/efi/loader/random-seed",
                "/var/lib/dhcp/*.leases", "/var/lib/dhclient/*.lease*", "/var/lib/NetworkManager/*.lease",
                "/var/lib/NetworkManager/secret_key", "/etc/udev/rules.d/70-persistent-net.rules",
            ])
        + system(
            .initramfsKeys,
            [
                "/etc/dropbear/initramfs/*host_key", "/etc/dropbear-initramfs/*host_key",
                "/etc/tinyssh/sshkeydir/.*.sk", "/etc/tinyssh-initramfs/sshkeydir/.*.sk",
            ])

    private static func home(_ kind: Kind, _ patterns: [String]) -> [Row] {
        patterns.map { Row(kind: kind, scope: .home, pattern: $0) }
    }
    private static func system(_ kind: Kind, _ patterns: [String]) -> [Row] {
        patterns.map { Row(kind: kind, scope: .system, pattern: $0) }
    }

    /// The patterns of one kind as the script takes them: a line each.
    static func lines(_ kind: Kind, _ scope: Scope) -> String {
        rows.filter { $0.kind == kind && $0.scope == scope }.map { "\($0.pattern)\n" }.joined()
    }

    /// Variables of the script, by name.
    static var settings: [(String, String)] {
        [
            ("home_history", lines(.history, .home)), ("home_secrets", lines(.secret, .home)),
            ("system_secrets", lines(.secret, .system)), ("system_traces", lines(.trace, .system)),
            ("initramfs_keys", lines(.initramfsKeys, .system)),
        ]
    }

    /// Wipes what the table names: `wipe_homes` in each of `$homes`, `wipe_system` below the folder `$1`.
    static let script = BuiltInScript.text(PackageResources.prepare_private_places_sh)
}
